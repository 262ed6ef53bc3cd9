import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeAll, expect, it } from 'vitest';
import { type ContainerProgram, containerProgram } from '../support/container-program.js';
import { describeWith, patience } from '../support/programs.js';

/** What is shown on a terminal of 33 lines and 99 columns, where words are typed when others have been shown. */
async function onTerminal(
  { bin, env }: ContainerProgram,
  args: readonly string[],
  typed: ReadonlyArray<readonly [seen: RegExp, keys: string]> = [],
): Promise<string> {
  const quoted = [process.execPath, bin, ...args].map(word => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const command = `stty rows 33 cols 99; echo modes $(stty -g); ${quoted}; echo code $?; echo modes $(stty -g)`;
  const child = spawn('script', ['--quiet', '--flush', '--command', command, '/dev/null'], { env });
  let shown = '';
  const left = [...typed];
  child.stdout.on('data', chunk => {
    shown += String(chunk);
    while (left[0]?.[0].test(shown)) child.stdin.write(left.shift()![1]);
  });
  await once(child, 'close');
  return shown.replaceAll('\r', '');
}

describeWith(['root', 'busybox', 'perl', 'script', 'stty', 'crun', 'runc'], 'a container with a terminal', () => {
  let program: ContainerProgram;
  beforeAll(async () => {
    program = await containerProgram();
  }, patience);
  const run = ['run', '--rm', '-it'];
  const shell = (command: string): string[] => ['base', 'sh', '-c', command];

  it.each(['namespaces', 'crun', 'runc'])('has one of its own (%s)', async sandbox => {
    const command = 'busybox tty; test -c /dev/console && echo to the terminal >/dev/tty; echo error >&2; exit 3';
    const shown = await onTerminal(program, [...run, '--sandbox', sandbox, ...shell(command)]);
    expect(shown).toMatch(/\/dev\/pts\/0\nto the terminal\nerror\ncode 3\n/);
    const [before, after] = [...shown.matchAll(/^.*modes (\S+)$/gm)].map(match => match[1]);
    expect(after).toBe(before);
  });

  it('has a terminal of the same size, that is its own', async () => {
    const command = 'busybox stty size; ls -ln /dev/pts/0; ls /dev/pts; ls -l /proc/self/fd';
    const shown = await onTerminal(program, [...run, '--user', '1000:1000', ...shell(command)]);
    expect(shown).toMatch(/^33 99$/m);
    expect(shown).toMatch(/^crw--w---- +1 1000 +5 .*\n0 +ptmx$/m);
    expect(shown.match(/ -> (.*)/g)?.filter(link => link !== ' -> /dev/pts/0')).toEqual([]);
  });

  it('hands on what is typed, and tells what is in the foreground of Ctrl-C', async () => {
    const command = 'trap "echo interrupted" INT; echo ready; sleep 1000; read word; echo "got $word"; exit 9';
    const typed = [
      [/ready/, '\x03'],
      [/interrupted/, 'a word\r'],
    ] as const;
    const shown = await onTerminal(program, [...run, ...shell(command)], typed);
    expect(shown).toMatch(/ready\n\^Cinterrupted\na word\ngot a word\ncode 9\n/);
  }, 60_000);

  it('hands over all that is written, and ends with the program though others have the terminal', async () => {
    const command = 'sleep 1000 & busybox seq 1 20000';
    const shown = await onTerminal(program, [...run, ...shell(command)]);
    const lines = shown.split('\n').filter(line => /^\d+$/.test(line));
    expect([lines.length, lines.at(-1)]).toEqual([20_000, '20000']);
    expect(shown).toContain('code 0');
  });

  it('has the streams as they are where they are no terminal', async () => {
    const { stdout } = await program.tried(...run, ...shell('busybox tty; test -e /dev/console || echo none'));
    expect(stdout).toBe('not a tty\nnone\n');
  });
});
