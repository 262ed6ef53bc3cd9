import { chmod, copyFile, mkdir, realpath, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { DebianBase } from './debian-base.js';
import type { Dockerd } from './dockerd.js';
import { findProgram, runProgram } from './run-program.js';

/** A Debian with this machine's Node, and with programs of this machine put in: `name` in the daemon. */
export async function containerImage(
  docker: Dockerd,
  base: DebianBase,
  { name, programs, folder }: { readonly name: string; readonly programs: readonly string[]; readonly folder: string },
): Promise<void> {
  const archive = join(folder, 'base.tar');
  const copy = [
    '--insecure-policy',
    'copy',
    '--quiet',
    `oci:${base.layout}:node`,
    `docker-archive:${archive}:base:node`,
  ];
  await runProgram('skopeo', copy, { timeout: 600 });
  await docker.docker(['load', '--input', archive], { timeout: 600 });
  const context = join(folder, 'image');
  for (const program of programs) await put(findProgram(program)!, context);
  await writeFile(join(context, 'Dockerfile'), 'FROM base:node\nCOPY usr /usr\n');
  await docker.docker(['build', '--quiet', '--tag', name, context], { timeout: 600 });
}

/** A program and its libraries, at the places where they are here. */
async function put(program: string, context: string): Promise<void> {
  const listed = await runProgram('ldd', [program], { mayFail: true });
  const libraries = [...listed.stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path!);
  for (const path of [program, ...libraries]) {
    const place = join(await realpath(dirname(path)), basename(path));
    if (place.includes('/ld-linux') || basename(place).startsWith('libc.so')) continue;
    await mkdir(join(context, dirname(place)), { recursive: true });
    await copyFile(place, join(context, place));
    await chmod(join(context, place), 0o755);
  }
}
