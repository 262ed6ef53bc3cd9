import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { workerCode } from '../../worker-code.js';

const top = fileURLToPath(new URL('../..', import.meta.url));

/** The program in one file of the folder, bundled from the sources, so that no build need have run; gives its path. */
export async function bundledProgram(folder: string): Promise<string> {
  const bin = join(folder, 'bin.mjs');
  await build({
    absWorkingDir: top,
    entryPoints: ['cli/bin.ts'],
    outfile: bin,
    bundle: true,
    plugins: [workerCode.esbuild],
    format: 'esm',
    platform: 'node',
    target: 'node20',
    banner: {
      js: "import{createRequire as requireOfBanner}from'node:module';const require=requireOfBanner(import.meta.url);",
    },
  });
  return bin;
}
