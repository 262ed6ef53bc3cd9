import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { toHostPath } from '../../tree/path.js';
import { submoduleAddress } from './git-address.js';
import { at, type GitCommands, type GitPlace } from './git-commands.js';
import { repositoryError } from './git-failure.js';
import type { GitLink } from './git-links.js';

/** A repository inside another. */
export interface Submodule extends GitLink {
  readonly name: string;
  /** Absolute; may hold a user and a password. */
  readonly address: string;
}

/**
 * Reads `.gitmodules` of a commit: which repository goes where. Those that say `update = none` are left out, as by
 * `git submodule update`.
 * @throws LadingError GIT_REPOSITORY for a place that it says nothing of, or nothing that can be fetched
 */
export async function submodulesOf(
  git: GitCommands,
  commit: string,
  links: readonly GitLink[],
  place: GitPlace,
): Promise<Submodule[]> {
  if (links.length === 0) return [];
  const written = await readModules(git, commit, place);
  const submodules: Submodule[] = [];
  for (const link of links) {
    const [name, values] = [...written].findLast(([, { path }]) => path?.replace(/\/+$/, '') === link.path) ?? [];
    if (values?.update === 'none') continue;
    const fail = (problem: string) =>
      repositoryError(git.repository, `submodule ${JSON.stringify(link.path.toWellFormed())}: ${problem}`, {
        hint: 'Leave submodules out with ?submodules=false.',
      });
    if (name === undefined || values?.url === undefined) throw fail('.gitmodules does not say where it comes from');
    if (!link.path.isWellFormed()) throw fail('its path is not UTF-8');
    if (!isModuleName(name)) throw fail(`${JSON.stringify(name)} is no name`);
    if (submodules.some(other => `${other.name}/`.startsWith(`${name}/`) || `${name}/`.startsWith(`${other.name}/`))) {
      throw fail(`its name ${JSON.stringify(name)} is taken`);
    }
    const address = submoduleAddress(git.remote, values.url);
    if (address === undefined) throw fail('its address is not one of a server');
    submodules.push({ ...link, name, address });
  }
  return submodules;
}

/**
 * The folder of a submodule, which has been made with the files around it. No link may stand in the way: what is checked
 * out there must end up below the work tree.
 * @throws LadingError GIT_REPOSITORY
 */
export async function submoduleFolder(git: GitCommands, path: string, { workTree }: GitPlace): Promise<string> {
  let folder = workTree;
  for (const part of path.split('/')) {
    folder = join(folder, part);
    const stats = await lstat(toHostPath(folder)).catch(() => undefined);
    if (stats?.isDirectory()) continue;
    throw repositoryError(git.repository, `submodule ${JSON.stringify(path.toWellFormed())} has no folder to go into`);
  }
  return folder;
}

interface WrittenModule {
  readonly path?: string | undefined;
  readonly url?: string | undefined;
  readonly update?: string | undefined;
}

async function readModules(git: GitCommands, commit: string, place: GitPlace): Promise<Map<string, WrittenModule>> {
  const args = [
    'config',
    '--blob',
    `${commit}:.gitmodules`,
    '-z',
    '--get-regexp',
    '^submodule\\..*\\.(path|url|update)$',
  ];
  const { status, stdout } = await git.attempt([...at(place), ...args]);
  const modules = new Map<string, WrittenModule>();
  if (status !== 0) return modules;
  for (const entry of stdout.toString('utf8').split('\0')) {
    const [, name, key, value] = /^submodule\.(.*)\.(path|url|update)\n(.*)$/s.exec(entry) ?? [];
    if (name !== undefined) modules.set(name, { ...modules.get(name), [key!]: value });
  }
  return modules;
}

/** A name becomes a folder of `.git/modules`. */
function isModuleName(name: string): boolean {
  if (/[\u0000-\u001f\u007f]/.test(name)) return false;
  return name.split(/[/\\]/).every(part => part !== '' && part !== '.' && part !== '..');
}
