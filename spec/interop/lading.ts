import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunOptions, type RunResult, runProgram } from '../support/programs.js';

/** The command as it is installed, not its sources: what other programs meet is what is tested here. */
export const ladingBin = fileURLToPath(new URL('../../dist/cli/bin.js', import.meta.url));

export interface Lading {
  /** The folder of its store, an OCI layout. */
  readonly root: string;
  run(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** What a command prints with `--json`. */
  json(args: readonly string[]): Promise<unknown>;
  /** Builds, checks the image, and gives the digest of its manifest. */
  build(args: readonly string[], options?: RunOptions): Promise<string>;
  remove(): Promise<void>;
}

/** The built command with a store of its own. */
export async function openLading(): Promise<Lading> {
  if (!existsSync(ladingBin)) throw new Error(`${ladingBin} is missing: run "npm run build" first`);
  const root = await mkdtemp(join(tmpdir(), 'lading-store-'));
  const run: Lading['run'] = (args, options = {}) =>
    runProgram(process.execPath, [ladingBin, ...args], { ...options, env: { LADING_ROOT: root, ...options.env } });
  return {
    root,
    run,
    json: async args => JSON.parse((await run([...args, '--json'])).stdout),
    build: async (args, options) => {
      const idFile = join(root, 'image-id');
      await run(['build', '--quiet', '--iidfile', idFile, ...args], options);
      const digest = (await readFile(idFile, 'utf8')).trim();
      await rm(idFile);
      await run(['inspect', '--verify', digest]);
      return digest;
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
