import { execFile } from 'node:child_process';
import { mkdir, rmdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { RootFileSystem } from '../../src/sandbox/sandbox.js';
import { tempDir } from '../support/temp-dir.js';

const run = promisify(execFile);

/**
 * Runs a script of this machine's shell with a root as its current folder: `rm -r etc` and the like. No sandbox: what is
 * tested is what roots make of the changes, whoever made them. `look` sees the root as the script has left it.
 */
export async function runInRoot(
  root: RootFileSystem,
  script: string,
  look: (folder: string) => Promise<void> = async () => {},
): Promise<void> {
  if (root.kind === 'directory') {
    // A shell takes back what this process has laid down for a while.
    const own = [`--reuid=${process.geteuid!()}`, `--regid=${process.getegid!()}`, '--keep-groups'];
    await run('setpriv', [...own, 'sh', '-euc', script], { cwd: root.path });
    await look(root.path);
    return;
  }
  const folder = `${await tempDir()}/merged`;
  await mkdir(folder);
  const { lower, upper, work } = root;
  const options = `lowerdir=${lower.join(':')},upperdir=${upper},workdir=${work},redirect_dir=off,metacopy=off,index=off`;
  await run('mount', ['-t', 'overlay', 'overlay', '-o', options, folder]);
  try {
    await run('sh', ['-euc', script], { cwd: folder });
    await look(folder);
  } finally {
    await run('umount', [folder]);
    await rmdir(folder);
  }
}
