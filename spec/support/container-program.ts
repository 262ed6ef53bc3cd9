import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundledProgram } from './bundled-program.js';
import { busyboxRoot } from './busybox-root.js';
import { type RunResult, runProgram } from './run-program.js';
import { tempDir } from './temp-dir.js';

/** The program in a process of its own, with a store that has the image `base`: busybox alone. */
export interface ContainerProgram {
  readonly folder: string;
  readonly bin: string;
  readonly env: Readonly<Record<string, string>>;
  /** Gives standard output. @throws when it does not end well */
  lading(...argv: string[]): Promise<string>;
  tried(...argv: string[]): Promise<RunResult>;
}

/** @param lines further ones of the Dockerfile of the image */
export async function containerProgram(lines = ''): Promise<ContainerProgram> {
  const folder = await tempDir();
  await mkdir(join(folder, 'app'));
  await busyboxRoot(join(folder, 'app'));
  await writeFile(join(folder, 'app', 'Dockerfile'), `FROM scratch\nCOPY root /\nENV PATH=/bin\n${lines}`);
  const bin = await bundledProgram(folder);
  const env = { LADING_ROOT: join(folder, 'store'), PATH: process.env['PATH']!, HOME: folder };
  const tried = (...argv: string[]): Promise<RunResult> =>
    runProgram(process.execPath, [bin, ...argv], { env, cwd: folder, mayFail: true, timeout: 120 });
  const lading = async (...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await tried(...argv);
    if (code !== 0) throw new Error(`lading ${argv.join(' ')} ended with ${code}:\n${stderr}`);
    return stdout;
  };
  await lading('build', '-q', '-t', 'base', 'app');
  return { folder, bin, env, lading, tried };
}
