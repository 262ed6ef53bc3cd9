import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './run-program.js';

/** The one program of {@link busyboxRoot}: a static busybox. */
export const busyboxRootPrograms = ['busybox'] as const;

const applets = [
  ...[
    'sh',
    'cat',
    'chmod',
    'chown',
    'cp',
    'echo',
    'env',
    'false',
    'hostname',
    'id',
    'kill',
    'ln',
    'ls',
    'mkdir',
    'mknod',
  ],
  ...['mv', 'printf', 'pwd', 'readlink', 'rm', 'rmdir', 'sed', 'setsid', 'sleep', 'stat', 'su', 'tar', 'touch', 'true'],
  ...['ulimit', 'wc', 'seq', 'find', 'head', 'test', 'mkfifo', 'sort', 'nc', 'grep', 'install', 'chroot'],
];

/** A small root with a shell, an account `app` (1000:1000) and nothing of any distribution. */
export async function busyboxRoot(folder: string): Promise<string> {
  const root = join(folder, 'root');
  for (const name of ['bin', 'etc', 'tmp', 'home/app', 'root']) await mkdir(join(root, name), { recursive: true });
  await copyFile(findProgram('busybox')!, join(root, 'bin/busybox'));
  for (const name of applets) await symlink('busybox', join(root, 'bin', name));
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\napp:x:1000:\n');
  await chmod(join(root, 'tmp'), 0o1777);
  return root;
}
