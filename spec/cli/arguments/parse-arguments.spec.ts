import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../../cli/arguments/parse-arguments.js';
import { defineCommand } from '../../../cli/command.js';
import { UsageError } from '../../../cli/usage-error.js';

const command = defineCommand({
  options: {
    tag: { alias: 't', type: 'string', array: true, requiresArg: true },
    'build-arg': { type: 'string', requiresArg: true },
    'no-cache': { type: 'boolean', conflicts: 'cached' },
    cached: { type: 'boolean' },
    level: { type: 'number', requiresArg: true },
    kind: { choices: ['one', 'two'] as const, default: 'one', requiresArg: true },
  },
  unsupported: { memory: { value: true, accepts: value => value === '0', reason: 'no', instead: 'Do without.' } },
  examples: [],
  run: async () => undefined,
});

function parsed(usage: string, ...argv: string[]): Record<string, unknown> {
  const entry = { name: 'do', usage, describe: '', load: async () => ({ command }) };
  const { progress: _, ...args } = parseArguments(entry, command, argv);
  return args;
}

describe('parseArguments', () => {
  it.each<[string[], Record<string, unknown>]>([
    [[], {}],
    [['-t', 'a', '--tag=b', '-tc', '-t=d'], { tag: ['a', 'b', 'c', 'd'] }],
    [['--tag', '-', '--tag='], { tag: ['-', ''] }],
    [['--build-arg', 'A=1', '--build-arg=A=2'], { 'build-arg': 'A=2', buildArg: 'A=2' }],
    [['--no-cache'], { 'no-cache': true, noCache: true }],
    [['--no-cache=false'], { 'no-cache': false, noCache: false }],
    [['--level', '3'], { level: 3 }],
    [['--level', '-3'], { level: -3 }],
    [['--level', 'x'], { level: Number.NaN }],
    [['--kind', 'two'], { kind: 'two' }],
    [['--memory', '0'], {}],
  ])('reads %j', (argv, expected) => {
    expect(parsed('', ...argv)).toEqual({ kind: 'one', ...expected });
  });

  it.each<[string, string[], Record<string, unknown>]>([
    ['<image>', ['a'], { image: 'a' }],
    ['<image> [destination]', ['a'], { image: 'a' }],
    [
      '<image> [destination]',
      ['a', '--no-cache', 'b'],
      { image: 'a', destination: 'b', 'no-cache': true, noCache: true },
    ],
    ['<image..>', ['a', 'b'], { image: ['a', 'b'] }],
    ['[name..]', [], { name: [] }],
    ['<context>', ['--', '--tag'], { context: '--tag' }],
    ['<context>', ['-'], { context: '-' }],
  ])('reads %s from %j', (usage, argv, expected) => {
    expect(parsed(usage, ...argv)).toEqual({ kind: 'one', ...expected });
  });

  it.each<[string, string[], string]>([
    ['<image>', [], 'an argument is missing'],
    ['<image..>', [], 'an argument is missing'],
    ['<image>', ['a', 'b', 'c'], 'unexpected argument: b, c'],
    ['', ['--tga', 'a'], 'there is no option --tga'],
    ['', ['--tag', '--level', '1'], '--tag needs a value'],
    ['', ['-t'], '-t needs a value'],
    ['', ['--no-cache=x'], '--no-cache cannot be "x"'],
    ['', ['--kind', 'three'], '--kind cannot be "three"'],
    ['', ['--no-cache', '--cached'], '--no-cache and --cached exclude each other'],
    ['', ['--memory', '1g'], '--memory is not supported: no'],
    ['', ['--__proto__'], 'there is no option --__proto__'],
  ])('refuses for %j the arguments %j', (usage, argv, message) => {
    expect(() => parsed(usage, ...argv)).toThrow(expect.objectContaining({ message }));
    expect(() => parsed(usage, ...argv)).toThrow(UsageError);
  });
});
