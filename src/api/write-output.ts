import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BuildResult, BuiltImage } from '../build/build.js';
import { emptyRoot } from '../build/stage-files.js';
import { copyImage } from '../content/copy.js';
import { LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import { diffTrees } from '../layer/diff.js';
import type { LayerEntry } from '../layer/entry.js';
import { unpackEntries } from '../layer/unpack.js';
import { writeTar } from '../layer/write-tar.js';
import { formatPlatform, type Platform } from '../oci/platform.js';
import { parseReference } from '../oci/reference.js';
import type { Store } from '../store/store.js';
import { emptyDirectory } from '../tree/editor.js';
import type { DirectoryNode } from '../tree/node.js';
import { type Output, outputNames } from './output.js';
import { withEndpoint } from './registry-access.js';
import { writeArchive } from './save-images.js';

export interface OutputOptions {
  readonly store: Store;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Refuses outputs that cannot be written, before anything is built.
 * @throws LadingError USAGE, UNSUPPORTED, INVALID_VALUE for a name
 */
export function checkOutputs(outputs: readonly Output[], platforms: readonly Platform[]): void {
  const places = new Set<string>();
  for (const output of outputs) {
    for (const name of outputNames(output, [])) fullName(name);
    if (output.type === 'docker' && platforms.length > 1) {
      throw new LadingError('UNSUPPORTED', 'a docker archive holds one platform', {
        details: { feature: 'type=docker with several platforms' },
        hint: 'Use type=oci, or build one platform at a time.',
      });
    }
    const { dest } = output;
    if (dest !== undefined && places.has(dest)) {
      throw new LadingError('USAGE', `two outputs are to go to ${dest === '-' ? 'standard output' : dest}`, {
        details: { option: 'output' },
        hint: 'Give each its own dest=.',
      });
    }
    if (dest !== undefined) places.add(dest);
  }
}

/** Hands the result of a build to one output. The names are those of the image in the store. */
export async function writeOutput(
  output: Output,
  result: BuildResult,
  names: readonly string[],
  options: OutputOptions,
): Promise<void> {
  const { store, signal } = options;
  const own = outputNames(output, names);
  switch (output.type) {
    case 'image':
    case 'registry':
      for (const name of outputNames(output, [])) await store.tag(result.descriptor, fullName(name), { signal });
      return;
    case 'oci':
      if (output.tar === false) {
        // A layout knows an image by its tag alone.
        const tags = new Set(own.length === 0 ? ['latest'] : own.map(name => parseReference(name).tag ?? 'latest'));
        const location = { transport: 'oci-layout', path: output.dest!, name: undefined } as const;
        await withEndpoint(location, { access: 'write', signal }, async target => {
          await copyImage(store, result.descriptor, target, { signal });
          for (const tag of tags) await target.tag(result.descriptor, tag, { signal });
        });
        return;
      }
      await writeArchive(store, [{ descriptor: result.descriptor, names: own }], 'oci', destination(output), {
        signal,
      });
      return;
    case 'docker':
      await writeArchive(store, [{ descriptor: result.descriptor, names: own }], 'docker', destination(output), {
        signal,
      });
      return;
    case 'tar':
      await writeStream(destination(output), Readable.from(tarOf(result, options)), signal);
      return;
    case 'local':
      await unpackEntries(entriesOf(result.images), output.dest!, {
        ownership: 'none',
        read: (content, size, call) => store.openRange(content.layer, content.offset, size, call),
        signal,
      });
      return;
  }
}

/** Where an archive goes: a file, or the caller's stream for `-`. */
export function destination(output: Output): string | Writable {
  if (output.dest !== '-') return output.dest!;
  if (output.stream !== undefined) return output.stream;
  throw new LadingError('USAGE', `--output type=${output.type} needs dest=FILE`, { details: { option: 'output' } });
}

function tarOf(result: BuildResult, options: OutputOptions): AsyncIterable<Uint8Array> {
  const { store, signal } = options;
  return writeTar(entriesOf(result.images), {
    read: (content, size, call) => store.openRange(content.layer, content.offset, size, call),
    signal,
  });
}

/** The files of the image; with several platforms each in a folder such as `linux_arm64`. */
function entriesOf(images: readonly BuiltImage[]): Iterable<LayerEntry> {
  if (images.length === 1) return diffTrees(emptyRoot, images[0]!.tree);
  const folders = images.map(({ platform, tree }) => [formatPlatform(platform).replaceAll('/', '_'), tree] as const);
  const root: DirectoryNode = { ...emptyDirectory(), children: new Map(folders) };
  return diffTrees(emptyRoot, root);
}

function fullName(name: string): string {
  const { registry, repository, tag } = parseReference(name);
  return `${registry}/${repository}:${tag}`;
}

/** Writes to a file that appears only when it is whole, or to a stream that is left open. */
export async function writeStream(
  target: string | Writable,
  content: Readable,
  signal?: AbortSignal | undefined,
): Promise<void> {
  if (typeof target !== 'string') {
    await pipeline(content, target, { signal, end: false });
    return;
  }
  const partial = `${target}.lading-partial`;
  try {
    await mkdir(dirname(target), { recursive: true });
    await pipeline(content, createWriteStream(partial), { signal });
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw ioError(error, target);
  }
}
