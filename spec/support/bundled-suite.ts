import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { workerCode } from '../../worker-code.js';

const top = fileURLToPath(new URL('../..', import.meta.url));

/** sandbox-script.ts in one file of the folder, so that others can run it where the sources are out of reach. */
export async function bundledSuite(folder: string): Promise<string> {
  const outfile = join(folder, 'suite.mjs');
  await build({
    ...{ absWorkingDir: top, entryPoints: ['spec/support/sandbox-script.ts'], outfile, bundle: true },
    ...{ plugins: [workerCode.esbuild], format: 'esm', platform: 'node', target: 'node20', logLevel: 'error' },
  });
  return outfile;
}
