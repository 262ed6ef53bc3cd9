import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../support/programs.js';

/** Writes a small context with the static busybox of this machine: an image of two megabytes that runs by itself. */
export async function writeBusyboxContext(context: string): Promise<void> {
  await mkdir(join(context, 'bin'), { recursive: true });
  await mkdir(join(context, 'data'));
  await copyFile(findProgram('busybox')!, join(context, 'bin/busybox'));
  await chmod(join(context, 'bin/busybox'), 0o755);
  await writeFile(join(context, 'data/hello.txt'), 'hello\n');
  await writeFile(
    join(context, 'Dockerfile'),
    `FROM scratch
COPY --chmod=0755 bin /bin
ENV PATH=/bin
WORKDIR /data
COPY data .
LABEL kind="small"
CMD ["busybox", "cat", "hello.txt"]
`,
  );
}
