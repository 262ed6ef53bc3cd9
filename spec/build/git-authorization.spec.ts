import { describe, expect, it } from 'vitest';
import { gitAuthorization } from '../../src/build/git-authorization.js';
import type { Secrets } from '../../src/build/inputs.js';

function secrets(values: Readonly<Record<string, string>>): Secrets {
  return { read: async id => (Object.hasOwn(values, id) ? Buffer.from(values[id]!) : undefined) };
}

const token = (text: string): string => `basic ${btoa(`x-access-token:${text}`)}`;

describe('gitAuthorization', () => {
  it.each([
    [{}, undefined],
    [{ GIT_AUTH_TOKEN: 'a' }, token('a')],
    [{ GIT_AUTH_TOKEN: 'a\n' }, token('a')],
    [{ GIT_AUTH_HEADER: 'Bearer a' }, 'Bearer a'],
    [{ GIT_AUTH_TOKEN: 'a', GIT_AUTH_HEADER: 'Bearer b' }, 'Bearer b'],
    [{ GIT_AUTH_TOKEN: 'a', 'GIT_AUTH_TOKEN.example.org:8443': 'b' }, token('b')],
    [{ GIT_AUTH_HEADER: 'x', 'GIT_AUTH_TOKEN.example.org:8443': 'b' }, token('b')],
    [{ 'GIT_AUTH_TOKEN.example.org:8443': 'a', 'GIT_AUTH_HEADER.example.org:8443': 'b' }, 'b'],
    [{ 'GIT_AUTH_TOKEN.example.org': 'a', 'GIT_AUTH_TOKEN.other.org:8443': 'b' }, undefined],
    [{ GIT_AUTH_TOKEN: '' }, undefined],
  ])('with %j is %s', async (values, authorization) => {
    expect(await gitAuthorization('https://example.org:8443/x.git', secrets(values))).toBe(authorization);
  });

  it('is for the web alone', async () => {
    for (const remote of ['git@example.org:x', 'ssh://example.org/x', 'git://example.org/x']) {
      expect(await gitAuthorization(remote, secrets({ GIT_AUTH_TOKEN: 'a' }))).toBeUndefined();
    }
  });

  it('refuses what is no header, without repeating it', async () => {
    const work = gitAuthorization('https://h/x.git', secrets({ GIT_AUTH_TOKEN: 'hunter2\nx: y' }));
    const error = await work.catch(thrown => thrown as Error);
    expect(error).toMatchObject({ code: 'INVALID_VALUE' });
    expect(JSON.stringify([String(error), error])).not.toContain('hunter2');
  });
});
