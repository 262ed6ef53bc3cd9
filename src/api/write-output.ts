import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BuiltPlatform } from '../build/build.js';
import { type ProvenanceOptions, provenance } from '../build/provenance.js';
import { copyImage } from '../content/copy.js';
import { LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import { contentReader } from '../layer/content-reader.js';
import { deleteOthers } from '../layer/delete-others.js';
import { diffTrees } from '../layer/diff.js';
import { makeFolder } from '../layer/make-folder.js';
import { emptyRoot } from '../layer/tree-of-layers.js';
import { writeTar } from '../layer/write-tar.js';
import type { Descriptor } from '../oci/descriptor.js';
import { parseReference } from '../oci/reference.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import type { Output } from './output.js';
import { outputTree, retimed } from './output-tree.js';
import { pathInside } from './path-inside.js';
import { withEndpoint } from './registry-access.js';
import { writeArchive } from './save-images.js';

/** Writes the image to an output of type `oci` or `docker`; the names are whole. */
export async function writeImage(
  output: Output,
  descriptor: Descriptor,
  names: readonly string[],
  { store, signal }: CallOptions & { readonly store: Store },
): Promise<void> {
  if (output.tar !== false) {
    const format = output.type === 'docker' ? 'docker' : 'oci';
    const target = destination(output);
    if (typeof target === 'string') makeFolderOf(target);
    await writeArchive(store, [{ descriptor, names }], format, target, { signal });
    return;
  }
  // A layout knows an image by its tag alone.
  const tags = new Set(names.length === 0 ? ['latest'] : names.map(name => parseReference(name).tag ?? 'latest'));
  const location = { transport: 'oci-layout', path: output.dest!, name: undefined } as const;
  await withEndpoint(location, { access: 'write', signal }, async target => {
    await copyImage(store, descriptor, target, { signal });
    for (const tag of tags) await target.tag(descriptor, tag, { signal });
  });
}

export interface WriteFilesOptions extends CallOptions {
  readonly store: Store;
  /** Several platforms are asked for, or one as if it were several. */
  readonly split: boolean;
  readonly provenance?: ProvenanceOptions | undefined;
}

/** Writes the files of the image to an output of type `tar` or `local`. */
export async function writeFiles(
  output: Output,
  built: readonly BuiltPlatform[],
  options: WriteFilesOptions,
): Promise<void> {
  const { store, signal } = options;
  const { epoch, mode, platformSplit = options.split, attestationPrefix } = output.files ?? {};
  const claim = options.provenance?.inlineOnly ? undefined : options.provenance;
  const tree = await outputTree(built, {
    platformSplit,
    prefix: attestationPrefix,
    filename: claim?.filename,
    claim: claim && (({ record }) => provenance(record, claim)),
  });
  const entries = retimed([...diffTrees(emptyRoot, tree)], epoch);
  if (output.type === 'tar') {
    await writeStream(destination(output), writeTar(entries, { read: contentReader(store), signal }), signal);
    return;
  }
  if (mode === 'delete') await deleteOthers(output.dest!, tree, { signal });
  await store.unpack(entries, output.dest!, { ownership: 'none', signal });
}

/**
 * Refuses, before anything is built, outputs that would delete the store that is being built in, and files where there are
 * folders.
 * @throws LadingError USAGE, PATH_INVALID
 */
export async function checkPlaces(outputs: readonly Output[], storeRoot: string): Promise<void> {
  for (const { type, files, dest, tar } of outputs) {
    const isFile = type === 'tar' || ((type === 'oci' || type === 'docker') && tar !== false);
    if (isFile && dest !== undefined && dest !== '-' && (await isFolder(dest))) {
      throw new LadingError('PATH_INVALID', `${dest} is a folder, and --output type=${type} writes a file`, {
        details: { path: dest, problem: 'is a folder' },
        hint: `Name a file in it: dest=${join(dest, 'image.tar')}. A folder is what type=local writes.`,
      });
    }
    if (files?.mode !== 'delete') continue;
    const inside = (await pathInside(dest!, storeRoot)) ?? (await pathInside(storeRoot, dest!));
    if (inside === undefined && resolve(dest!) !== resolve(storeRoot)) continue;
    throw new LadingError('USAGE', `mode=delete and the store do not go together in ${dest}`, {
      details: { option: 'output' },
      hint: 'Write to another folder, or keep the store elsewhere with --root.',
    });
  }
}

function makeFolderOf(file: string): void {
  try {
    makeFolder(dirname(file));
  } catch (error) {
    throw ioError(error, file);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** Where an archive goes: a file, or the caller's stream for `-`. */
function destination(output: Output): string | Writable {
  if (output.dest !== '-') return output.dest!;
  if (output.stream !== undefined) return output.stream;
  throw new LadingError('USAGE', `--output type=${output.type} needs dest=FILE`, { details: { option: 'output' } });
}

/** Writes to a file that appears only when it is whole, or to a stream that is left open. */
async function writeStream(target: string | Writable, content: Readable, signal?: AbortSignal): Promise<void> {
  if (typeof target !== 'string') {
    await pipeline(content, target, { signal, end: false });
    return;
  }
  const partial = `${target}.lading-partial`;
  try {
    makeFolderOf(target);
    await pipeline(content, createWriteStream(partial), { signal });
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw ioError(error, target);
  }
}
