import { systemFolders } from './host-program.js';

/** Milliseconds. What hangs does not work. */
const patience = 10_000;

/** Whether a program does what it is told, and what it prints; when not, the end of what it says. */
export type Tried =
  | { readonly works: true; readonly prints: string }
  | { readonly works: false; readonly says: string };

/** Tries something by doing it. It is ended when it takes too long, and reads nothing of the builder's environment. */
export async function tryProgram(program: string, args: readonly string[], stdin = ''): Promise<Tried> {
  const { execFile } = await import('node:child_process');
  return await new Promise(resolve => {
    const child = execFile(
      program,
      args,
      { cwd: '/', env: { PATH: systemFolders.join(':'), LC_ALL: 'C' }, timeout: patience, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        if (error === null) resolve({ works: true, prints: stdout });
        else {
          const lines = stderr.trim().split('\n').filter(Boolean);
          resolve({ works: false, says: lines.slice(-2).join('; ') || (error.killed ? 'it hangs' : error.message) });
        }
      },
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(stdin);
  });
}
