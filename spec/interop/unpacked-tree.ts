import { createHash } from 'node:crypto';
import { lstat, mkdtemp, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../support/programs.js';

/** What the file system says of one path; times are kept apart because most comparisons leave them out. */
export interface Fact {
  readonly type: 'file' | 'directory' | 'symlink' | 'device' | 'other';
  /** Octal, permission bits with set-id and sticky. */
  readonly mode: string;
  readonly owner: string;
  /** Link target, SHA-256 of the content, or the device number. */
  readonly content?: string;
}

export interface Tree {
  /** By path relative to the root, without a slash at either end. */
  readonly facts: ReadonlyMap<string, Fact>;
  /** Modification times in whole seconds. */
  readonly times: ReadonlyMap<string, number>;
}

/** Reads a folder as it lies on the disk, without following any link. */
export async function readTree(root: string): Promise<Tree> {
  const facts = new Map<string, Fact>();
  const times = new Map<string, number>();
  const visit = async (path: string): Promise<void> => {
    const full = join(root, path);
    const found = await lstat(full);
    const type = found.isFile()
      ? 'file'
      : found.isDirectory()
        ? 'directory'
        : found.isSymbolicLink()
          ? 'symlink'
          : found.isCharacterDevice() || found.isBlockDevice()
            ? 'device'
            : 'other';
    const content =
      type === 'file'
        ? createHash('sha256')
            .update(await readFile(full))
            .digest('hex')
        : type === 'symlink'
          ? await readlink(full)
          : type === 'device'
            ? String(found.rdev)
            : undefined;
    const fact = { type, mode: (found.mode & 0o7777).toString(8), owner: `${found.uid}:${found.gid}` } as const;
    facts.set(path, content === undefined ? fact : { ...fact, content });
    times.set(path, Math.floor(found.mtimeMs / 1000));
    if (type === 'directory') for (const name of (await readdir(full)).sort()) await visit(join(path, name));
  };
  await visit('');
  // The root folder itself was made by whoever unpacked.
  facts.delete('');
  times.delete('');
  return { facts, times };
}

/** Has umoci unpack `TAG` of an OCI layout, and reads what it made. */
export async function unpack(layout: string, tag: string, work: string): Promise<Tree> {
  const bundle = join(await mkdtemp(join(work, 'bundle-')), 'bundle');
  await runProgram('umoci', ['unpack', '--image', `${layout}:${tag}`, bundle]);
  return readTree(join(bundle, 'rootfs'));
}

/** The paths that differ, each with both sides; empty when the trees are equal. */
export function differences(
  expected: ReadonlyMap<string, unknown>,
  actual: ReadonlyMap<string, unknown>,
): Record<string, { readonly expected: unknown; readonly actual: unknown }> {
  const result: Record<string, { expected: unknown; actual: unknown }> = {};
  for (const path of new Set([...expected.keys(), ...actual.keys()])) {
    const pair = { expected: expected.get(path), actual: actual.get(path) };
    if (JSON.stringify(pair.expected) !== JSON.stringify(pair.actual)) result[path] = pair;
  }
  return result;
}
