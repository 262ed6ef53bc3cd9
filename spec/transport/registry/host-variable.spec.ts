import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReference } from '../../../src/oci/reference.js';
import { hostToVariable, variableToHost } from '../../../src/transport/registry/host-variable.js';

describe('hostToVariable', () => {
  it.each([
    ['ghcr.io', 'GHCR_IO'],
    ['GHCR.io', 'GHCR_IO'],
    ['docker.io', 'DOCKER_IO'],
    ['registry-1.docker.io', 'REGISTRY__1_DOCKER_IO'],
    ['registry.example:5000', 'REGISTRY_EXAMPLE___5000'],
    ['localhost', 'LOCALHOST'],
    ['localhost:5000', 'LOCALHOST___5000'],
    ['localhost.5000', 'LOCALHOST_5000'],
    ['localhost-5000', 'LOCALHOST__5000'],
    ['127.0.0.1', '127_0_0_1'],
    ['127.0.0.1:5000', '127_0_0_1___5000'],
    ['127-0-0-1.example', '127__0__0__1_EXAMPLE'],
    ['a--1.example', 'A____1_EXAMPLE'],
    ['a.b--1', 'A_B____1'],
    ['a--1:1', 'A____1___1'],
    ['xn--mnchen-3ya.example', 'XN____MNCHEN__3YA_EXAMPLE'],
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com', '123456789012_DKR_ECR_EU__WEST__1_AMAZONAWS_COM'],
    ['[::1]', '___1'],
    ['[::1]:5000', '___1___5000'],
    ['[::]:5000', '______5000'],
    ['[fe80::]', '_FE80__'],
    ['[fe80::]:5000', '_FE80_____5000'],
    ['[fe80::5000]', '_FE80__5000'],
    ['[2001:db8:1:2:3:4:5:6]:80', '_2001_DB8_1_2_3_4_5_6___80'],
  ])('%s is %s, and the other way around', (registry, variable) => {
    expect(hostToVariable(registry)).toBe(variable);
    expect(variableToHost(variable)).toBe(registry.toLowerCase());
  });

  it.each([
    ...['', '.', 'my_host.com', 'my host.com', 'a..b', 'a-.b', 'a-.5', '-a', 'a-', 'a.', '.a', 'a:', ':5', 'a:123456'],
    ...[
      'a:5:6',
      'a/b',
      'a@b',
      '[]',
      '[1]',
      '[:]',
      '[:::1]',
      '[::1',
      '::1',
      '[::1].example',
      '[::1%eth0]',
      'a\n',
      '__proto__',
    ],
    // What looks like another letter, or becomes one when it is written in capitals.
    ...['ghcr.ıo', 'ghcr.İo', '\u212aubernetes.io', 'paſs.io', 'straße.example', 'ghcr\u3002io', 'ghcr\uff0eio'],
  ])('has no name for %j', registry => {
    expect(hostToVariable(registry)).toBeUndefined();
  });

  it.each([
    ...['', '_', '__', 'A_', 'A__', 'a', 'ghcr_io', 'A-B', 'A.B', 'A___', 'A___B', 'A____', 'A_____5', 'A___123456'],
    ...['A___5___6', '_A', '_1', '_1_2', '____', '_G__1', '_FE80___1', '_1_2_3_4_5_6_7_8_9', 'Ä', 'A\n'],
  ])('%j is the name of none', variable => {
    expect(variableToHost(variable)).toBeUndefined();
  });

  const isRegistry = (text: string): boolean => {
    try {
      return parseReference(`${text}/x/y`).registry === text;
    } catch {
      return false;
    }
  };

  it('gives no two of all short names the same', () => {
    const known = new Map<string, string>();
    const visit = (text: string, letters: string, longest: number, wrap: (text: string) => string): void => {
      const registry = wrap(text);
      const valid = isRegistry(registry);
      const variable = valid ? hostToVariable(registry) : undefined;
      // A reference takes brackets for granted that hold no address.
      if (valid && !registry.startsWith('[')) expect([registry, variable]).not.toEqual([registry, undefined]);
      if (variable !== undefined) {
        expect([registry, known.get(variable)]).toEqual([registry, undefined]);
        known.set(variable, registry);
      }
      if (text.length < longest) for (const letter of letters) visit(text + letter, letters, longest, wrap);
    };
    visit('', 'a1.-:', 7, text => text);
    visit('', '1:', 9, text => `[${text}]`);
    visit('', '1:', 7, text => `[${text}]:1`);
    visit('', '1:', 7, text => `[${text}]:11`);
    expect(known.size).toBeGreaterThan(2000);
  });

  const character = fc.constantFrom(...'abcxyz0159-');
  const label = fc.string({ unit: character, minLength: 1, maxLength: 12 }).filter(text => !/^-|-$/.test(text));
  const host = fc.oneof(
    fc.array(label, { minLength: 1, maxLength: 5 }).map(labels => labels.join('.')),
    fc.ipV4(),
    fc
      .ipV6()
      .filter(address => !address.includes('.'))
      .map(address => `[${address.toLowerCase()}]`),
  );
  const registry = fc
    .tuple(host, fc.option(fc.nat({ max: 65_535 })))
    .map(([host, port]) => (port === null ? host : `${host}:${port}`));

  it('can be read back for every registry, whatever it is called, and names nothing but variables', () => {
    fc.assert(
      fc.property(registry, registry => {
        const variable = hostToVariable(registry);
        expect(variable).toMatch(/^[A-Z0-9_]+$/);
        expect(variableToHost(variable!)).toBe(registry);
      }),
      { numRuns: 2000 },
    );
  });

  it('is the only name of what it names', () => {
    const unit = fc.constantFrom('A', 'F', '1', '_', '_', '_');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 24 }), variable => {
        const registry = variableToHost(variable);
        if (registry !== undefined) expect(hostToVariable(registry)).toBe(variable);
      }),
      { numRuns: 5000 },
    );
  });

  it('takes linear time', () => {
    const started = performance.now();
    for (const text of ['A_'.repeat(50_000), '_'.repeat(100_000), `A${'___1'.repeat(30_000)}`, '1'.repeat(100_000)]) {
      variableToHost(text);
      hostToVariable(text.toLowerCase().replaceAll('_', '.'));
      hostToVariable(text.toLowerCase().replaceAll('_', '-'));
    }
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
