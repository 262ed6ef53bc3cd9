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
import { formatPlatform } from '../oci/platform.js';
import { parseReference } from '../oci/reference.js';
import type { Store } from '../store/store.js';
import { emptyDirectory } from '../tree/editor.js';
import type { DirectoryNode } from '../tree/node.js';
import type { Output } from './output.js';
import { withEndpoint } from './registry-access.js';
import { writeArchive } from './save-images.js';

export interface OutputOptions {
  readonly store: Store;
  readonly signal?: AbortSignal | undefined;
}

/** Hands the result of a build to one output. The names are those of the image in the store. */
export async function writeOutput(
  output: Output,
  result: BuildResult,
  names: readonly string[],
  options: OutputOptions,
): Promise<void> {
  const { store, signal } = options;
  const own = output.name === undefined ? names : output.name.split(',');
  switch (output.type) {
    case 'image':
    case 'registry':
      for (const name of output.name?.split(',') ?? []) await store.tag(result.descriptor, fullName(name), { signal });
      return;
    case 'oci':
      if (output.tar === false) {
        const reference = own[0] === undefined ? undefined : parseReference(own[0]);
        const location = { transport: 'oci-layout', path: output.dest!, name: reference?.tag ?? 'latest' } as const;
        await withEndpoint(location, { access: 'write', signal }, target =>
          copyImage(store, result.descriptor, target, { name: target.name, signal }),
        );
        return;
      }
      await writeArchive(store, [{ descriptor: result.descriptor, names: own }], 'oci', destination(output), {
        signal,
      });
      return;
    case 'docker':
      if (result.images.length > 1) {
        throw new LadingError('UNSUPPORTED', 'a docker archive holds one platform', {
          details: { feature: 'type=docker with several platforms' },
          hint: 'Use type=oci, or build one platform at a time.',
        });
      }
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
