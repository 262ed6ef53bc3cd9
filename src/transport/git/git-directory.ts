import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FetchedCommit } from './fetch-commit.js';
import { at, type GitCommands, type GitPlace } from './git-commands.js';
import type { ResolvedRef } from './resolve-ref.js';

/** Makes an empty `.git`. `git init` would ask the machine and its templates what to put into it. */
export async function makeGitDirectory({ gitDir, workTree }: GitPlace, id: string): Promise<void> {
  await makeFolder(workTree);
  for (const folder of ['objects', 'refs']) await makeFolder(join(gitDir, folder));
  await writeGitFile(join(gitDir, 'HEAD'), 'ref: refs/heads/none\n');
  await writeGitFile(join(gitDir, 'config'), configText(idFormat(id)));
}

/** Writes a file as git does with a umask of 022. */
export async function writeGitFile(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await chmod(path, 0o644);
}

async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await chmod(made, 0o755);
}

export interface KeptDirectory {
  readonly place: GitPlace;
  readonly commit: FetchedCommit;
  readonly ref: ResolvedRef;
  /** Where the work tree is, from the `.git`, when it is not the folder around it. */
  readonly workTreeFrom?: string | undefined;
  /** Name and address of each submodule. */
  readonly submodules: ReadonlyArray<readonly [name: string, address: string]>;
}

/**
 * Leaves in a `.git` what follows from the commit and the names that it was asked for, and nothing that depends on how the
 * server packed it, on the machine, or on the time: the commit with its files and no more, in one pack without deltas and
 * compression; an index that knows no times; a configuration that says where it comes from.
 */
export async function settleGitDirectory(git: GitCommands, kept: KeptDirectory): Promise<void> {
  const { place, commit, ref } = kept;
  const { gitDir } = place;
  await rm(join(gitDir, 'refs'), { recursive: true });
  await rm(join(gitDir, 'packed-refs'), { force: true });
  await makeFolder(join(gitDir, 'refs'));
  await writeGitFile(join(gitDir, 'config'), configText(idFormat(commit.id), kept, git.repository));
  await rm(join(gitDir, 'shallow'), { force: true });
  if (commit.hasParents) await writeGitFile(join(gitDir, 'shallow'), `${commit.id}\n`);
  for (const name of namesOf(ref)) await git.run([...at(place), 'update-ref', '--', name, ref.id]);
  const settings = ['pack.compression=0', 'pack.threads=1', 'pack.writeReverseIndex=false', 'pack.indexVersion=2'];
  const further = ['repack.writeBitmaps=false', 'repack.updateServerInfo=false', 'pack.packSizeLimit=0'];
  const config = [...settings, ...further].flatMap(setting => ['-c', setting]);
  await git.run([...config, ...at(place), 'repack', '-a', '-d', '-F', '-q', '--window=0', '--depth=0']);
  await rm(join(gitDir, 'index'), { force: true });
  await git.run([...at(place), 'read-tree', commit.id]);
  await removeOthers(gitDir, name =>
    ['HEAD', 'config', 'index', 'modules', 'objects', 'refs', 'shallow'].includes(name),
  );
  await removeOthers(join(gitDir, 'objects'), name => name === 'pack');
  await removeOthers(join(gitDir, 'objects', 'pack'), name => /^pack-[0-9a-f]+\.(?:pack|idx)$/.test(name));
}

/** The branch is there twice, as after a clone: as one's own and as that of the server. */
function namesOf({ name }: ResolvedRef): string[] {
  if (name === undefined) return [];
  const branch = /^refs\/heads\/(.+)$/.exec(name)?.[1];
  return branch === undefined ? [name] : [name, `refs/remotes/origin/${branch}`];
}

async function removeOthers(folder: string, keep: (name: string) => boolean): Promise<void> {
  for (const name of await readdir(folder)) if (!keep(name)) await rm(join(folder, name), { recursive: true });
}

type IdFormat = 'sha1' | 'sha256';

function idFormat(id: string): IdFormat {
  return id.length === 64 ? 'sha256' : 'sha1';
}

function configText(
  format: IdFormat,
  kept?: Pick<KeptDirectory, 'workTreeFrom' | 'submodules'>,
  remote?: string,
): string {
  const lines = [
    '[core]',
    `\trepositoryformatversion = ${format === 'sha1' ? 0 : 1}`,
    '\tfilemode = true',
    '\tbare = false',
    ...(kept?.workTreeFrom === undefined ? [] : [`\tworktree = ${quoted(kept.workTreeFrom)}`]),
    ...(format === 'sha1' ? [] : ['[extensions]', '\tobjectformat = sha256']),
  ];
  if (remote !== undefined) {
    lines.push('[remote "origin"]', `\turl = ${quoted(remote)}`, '\tfetch = +refs/heads/*:refs/remotes/origin/*');
  }
  for (const [name, address] of kept?.submodules ?? []) {
    lines.push(`[submodule ${quoted(name)}]`, '\tactive = true', `\turl = ${quoted(address)}`);
  }
  return `${lines.join('\n')}\n`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
