import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { workerCode } from '../../worker-code.js';
import { tempDir } from '../support/temp-dir.js';

const bundles = new Map<string, Promise<string>>();

/** A module and all that it imports as one script that Node starts as it is. */
function bundled(entry: string): Promise<string> {
  const known = bundles.get(entry);
  if (known !== undefined) return known;
  const bundle = (async () => {
    const outfile = join(await tempDir(), 'child.mjs');
    const banner = {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    };
    const plugins = [workerCode.esbuild];
    await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', banner, plugins });
    return outfile;
  })();
  bundles.set(entry, bundle);
  return bundle;
}

export interface Child {
  readonly process: ChildProcess;
  /** Resolves when it says that it is at work; rejects with what it wrote when it ends before. */
  readonly working: Promise<void>;
  /** Exit code, or the signal that ended it; and what it wrote to stderr. */
  readonly ended: Promise<{ readonly code: number | NodeJS.Signals | null; readonly stderr: string }>;
}

export interface StartOptions {
  /** Put before it, to set limits. */
  readonly shell?: string;
  /** Instead of `child.ts`. */
  readonly entry?: URL;
}

/** Starts a task of `child.ts` in a process of its own. */
export async function startChild(args: readonly string[], { shell, entry }: StartOptions = {}): Promise<Child> {
  const script = await bundled(fileURLToPath(entry ?? new URL('child.ts', import.meta.url)));
  const child =
    shell === undefined
      ? spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
      : spawn('/bin/sh', ['-c', `${shell}; exec "$@"`, 'sh', process.execPath, script, ...args], {
          stdio: ['ignore', 'pipe', 'pipe'],
        });
  let stderr = '';
  child.stderr.on('data', chunk => {
    stderr += chunk;
  });
  const ended = new Promise<{ code: number | NodeJS.Signals | null; stderr: string }>(resolve => {
    child.once('close', (code, signal) => resolve({ code: code ?? signal, stderr }));
  });
  const working = new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    ended.then(({ code }) => reject(new Error(`the child ended with ${code}: ${stderr}`)));
  });
  working.catch(() => {});
  return { process: child, working, ended };
}
