import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { namespaceLikely } from '../../cli/namespace-likely.js';
import { directImports } from '../../direct-imports.js';
import { machineUser, machineUserPrograms } from '../support/machine-user.js';
import { describeWith, patience } from '../support/programs.js';
import { tempDir } from '../support/temp-dir.js';

describe('what looks as if it needed a user namespace', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await tempDir();
    const files = {
      'runs/Dockerfile': 'FROM base\nCOPY . /\n  run --mount=type=cache,target=/c make\n',
      'copies/Dockerfile': '# RUN nothing\nFROM base\nCOPY RUN /\nONBUILD RUN make\n',
      'copies/other.dockerfile': 'FROM base\nRUN\\\n make\n',
      'later/Dockerfile': `FROM base\n${'#'.repeat(1024 * 1024)}\nRUN make\n`,
      'empty/other': '',
    };
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    await promisify(execFile)('mkfifo', [join(folder, 'pipe')]);
  });

  it.each([
    ['build runs', true],
    ['build -t app ./runs', true],
    ['build --build-arg A=b --tag=app runs', true],
    ['build copies', false],
    ['build -f copies/other.dockerfile copies', true],
    ['build -fcopies/other.dockerfile copies', true],
    ['build --file=copies/other.dockerfile copies', true],
    ['build later', false],
    ['build empty', false],
    ['build missing', false],
    ['build https://example.com/runs.git', false],
    ['build -', false],
    // Reading it would take away what the build is to read.
    ['build -f pipe copies', false],
    ['build --check runs', false],
    ['build --call=outline runs', false],
    ['build --help runs', false],
    ['build --sandbox proot runs', false],
    ['build --sandbox=chroot runs', false],
    ['build --sandbox namespaces runs', true],
    ['build --sandbox=auto runs', true],
    ['run base sh', true],
    ['run --sandbox proot base sh', false],
    ['start name', true],
    ['images', false],
    ['inspect runs', false],
    ['', false],
  ])('%s: %s', (line, likely) => {
    expect(namespaceLikely(line.split(' '), folder)).toBe(likely);
  });
});

/** Enters for `lading run`, and says what came of it. */
const program = `
import { enterEarly } from './cli/enter-early.ts';
const [mode, ...script] = process.argv.slice(2);
const again = { program: '/bin/sh', args: ['-c', ...script] };
const { env } = process;
const code = await enterEarly(mode === 'run' ? ['run', 'image'] : ['images'], { again, env, cwd: '/', signal: new AbortController().signal });
process.stdout.write(String(code));
`;

const needed = [...machineUserPrograms, 'unshare', 'newuidmap', 'newgidmap'];

describeWith(needed, 'a program that enters the user namespace before anything is loaded', () => {
  const top = fileURLToPath(new URL('../..', import.meta.url));

  async function entering(ranges: boolean, mode: string, script: string): Promise<string> {
    const folder = await tempDir();
    const user = await machineUser(folder, { ranges });
    try {
      const outfile = join(folder, 'enter.mjs');
      const stdin = { contents: program, resolveDir: top, loader: 'ts' } as const;
      const plugins = [directImports(join(top, 'src/index.ts'), join(top, 'cli'))];
      await build({ stdin, outfile, plugins, bundle: true, format: 'esm', platform: 'node', target: 'node20' });
      const { stdout } = await user.run(process.execPath, [outfile, mode, script]);
      return stdout;
    } finally {
      await user.remove();
    }
  }

  it('is root there, and gives its exit code', { timeout: patience }, async () => {
    expect(await entering(true, 'run', 'id -u; exit 7')).toBe('0\n7');
    expect(await entering(true, 'run', 'kill -TERM $$')).toBe(String(128 + 15));
  });

  it('goes on where it is when it need not, or cannot', { timeout: patience }, async () => {
    expect(await entering(true, 'other', 'id -u')).toBe('undefined');
    expect(await entering(false, 'run', 'id -u')).toBe('undefined');
  });
});
