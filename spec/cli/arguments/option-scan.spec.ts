import { describe, expect, it } from 'vitest';
import { findCommand } from '../../../cli/arguments/find-command.js';
import { scanArguments } from '../../../cli/arguments/option-scan.js';
import { suggest } from '../../../cli/arguments/suggest.js';

const table = {
  tag: { alias: 't', type: 'string', array: true },
  quiet: { alias: 'q', type: 'boolean' },
  level: { type: 'number' },
} as const;

function scan(...argv: string[]) {
  const { options, words } = scanArguments(argv, table);
  return { options: options.map(({ written, name, valueMissing }) => [written, name, valueMissing ?? false]), words };
}

describe('scanArguments', () => {
  it('tells options from words', () => {
    expect(scan('-q', 'a', '--tag', 'x', 'b')).toEqual({
      options: [
        ['-q', 'quiet', false],
        ['--tag', 'tag', false],
      ],
      words: ['a', 'b'],
    });
  });

  it.each([
    [['--tag=x', 'a'], ['a']],
    [['-tx', 'a'], ['a']],
    [['-qt', 'x', 'a'], ['a']],
    [['-qtx', 'a'], ['a']],
    [['--level', '3', 'a'], ['a']],
    [['--quiet', 'a'], ['a']],
    [
      ['-', 'a'],
      ['-', 'a'],
    ],
    [
      ['--', '-q', '--tag'],
      ['-q', '--tag'],
    ],
    [['--tag', '--', 'a'], ['a']],
  ])('%j leaves %j', (argv, words) => {
    expect(scan(...argv).words).toEqual(words);
  });

  it('does not take what follows an unknown option for its value', () => {
    expect(scan('--nope', 'a')).toEqual({ options: [['--nope', undefined, false]], words: ['a'] });
    expect(scan('-qZt', 'a')).toEqual({
      options: [
        ['-q', 'quiet', false],
        ['-Z', undefined, false],
      ],
      words: ['a'],
    });
  });

  it.each([[['--tag']], [['-t']], [['-qt']], [['a', '--level']]])('misses the value of %j', argv => {
    expect(scan(...argv).options.at(-1)?.[2]).toBe(true);
  });

  it('is not led astray by names of the prototype', () => {
    expect(scan('--constructor', '--__proto__').options).toEqual([
      ['--constructor', undefined, false],
      ['--__proto__', undefined, false],
    ]);
  });
});

describe('findCommand', () => {
  it.each([
    [['build', '-t', 'build', '.'], 'build', ['-t', 'build', '.']],
    [['--root', 'build', 'build', '.'], 'build', ['--root', 'build', '.']],
    [['--debug', 'system', 'df', '-v'], 'system df', ['--debug', '-v']],
    [['system', '--root', 'x', 'df'], 'system df', ['--root', 'x']],
    [['help', 'system', 'df'], 'system df', ['--help']],
  ])('%j', (argv, name, rest) => {
    const found = findCommand(argv);
    expect([found.entry?.name, found.rest]).toEqual([name, rest]);
  });
});

describe('suggest', () => {
  const words = ['build', 'tag', 'pull', 'push', 'platform', 'no-cache'];

  it.each([
    ['biuld', 'build'],
    ['buidl', 'build'],
    ['bild', 'build'],
    ['pul', 'pull'],
    ['plat', 'platform'],
    ['nocache', 'no-cache'],
    ['tga', 'tag'],
    ['xyz', undefined],
    ['elephant', undefined],
    ['p', undefined],
    ['', undefined],
  ])('%s -> %s', (word, expected) => {
    expect(suggest(word, words)).toBe(expected);
  });
});
