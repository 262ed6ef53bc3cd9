import * as z from 'zod/mini';
import { invalidArchive } from '../../layer/invalid-archive.js';
import { type Descriptor, descriptorSchema } from '../../oci/descriptor.js';
import { isDigest } from '../../oci/digest.js';
import { orNone } from '../../oci/empty.js';
import { parseDocument } from '../../oci/json.js';
import { formatReference, parseReference } from '../../oci/reference.js';
import { refNameAnnotation, refNameOf } from '../../store/layout-entry.js';
import type { CallOptions } from '../../stream/bytes.js';
import { type ArchivedImage, ArchiveSource, notInArchive } from './archive-source.js';
import { type OpenTarOptions, TarFile } from './tar-file.js';

/** The annotation under which Docker and containerd keep the whole name. */
export const imageNameAnnotation = 'io.containerd.image.name';

const indexSchema = z.looseObject({
  schemaVersion: z.literal(2),
  manifests: orNone(descriptorSchema),
});

const indexLimit = 32 * 1024 * 1024;

/** Reads an image layout that is packed into a tar file. `name`: a tag, a digest, or empty for the only image. */
export async function openOciArchive(path: string, name: string, options: OpenTarOptions): Promise<ArchiveSource> {
  return readOciArchive(await TarFile.open(path, options), name, options);
}

/** As `openOciArchive`; takes the tar file over, also when it fails. */
export async function readOciArchive(tar: TarFile, name: string, options: CallOptions): Promise<ArchiveSource> {
  try {
    const manifests = await readLayoutIndex(tar, options);
    if (manifests === undefined) throw invalidArchive('no index.json: it is not an OCI archive');
    return new OciArchive(tar, name, manifests);
  } catch (error) {
    await tar.close();
    throw error;
  }
}

/** The entries of the `index.json` in an archive; `undefined` when there is none. */
export async function readLayoutIndex(tar: TarFile, options: CallOptions): Promise<readonly Descriptor[] | undefined> {
  const bytes = await tar.readSmall('index.json', indexLimit, options);
  return bytes && parseDocument(bytes, indexSchema, 'index.json of an image layout').manifests;
}

class OciArchive extends ArchiveSource {
  readonly #manifests: readonly Descriptor[];

  constructor(tar: TarFile, name: string, manifests: readonly Descriptor[]) {
    super(tar, name);
    this.#manifests = manifests;
  }

  async resolve(name: string, { signal }: CallOptions = {}): Promise<Descriptor> {
    signal?.throwIfAborted();
    const digests = new Set(this.#manifests.map(entry => entry.digest));
    const found = this.#manifests.find(entry =>
      name === ''
        ? digests.size === 1
        : isDigest(name)
          ? entry.digest === name
          : refNameOf(entry) === name || fullNameOf(entry) === name,
    );
    if (found === undefined) {
      throw notInArchive(
        this.tar.title,
        name,
        this.#manifests.flatMap(entry => refNameOf(entry) ?? []),
      );
    }
    return withoutNames(found);
  }

  async images({ signal }: CallOptions = {}): Promise<ArchivedImage[]> {
    signal?.throwIfAborted();
    return this.#manifests.map(entry => ({ name: wholeName(entry), descriptor: withoutNames(entry) }));
  }
}

/** A tag alone says nothing about the repository that it is of. */
function wholeName(entry: Descriptor): string | undefined {
  const name = fullNameOf(entry) ?? refNameOf(entry);
  if (name === undefined || !/[/:]/.test(name)) return undefined;
  try {
    return formatReference(parseReference(name));
  } catch {
    return undefined;
  }
}

export function fullNameOf({ annotations }: Descriptor): string | undefined {
  return annotations && Object.hasOwn(annotations, imageNameAnnotation) ? annotations[imageNameAnnotation] : undefined;
}

/** The names belong to the place, not to the image. */
export function withoutNames(descriptor: Descriptor): Descriptor {
  const { annotations, ...rest } = descriptor;
  const kept = Object.entries(annotations ?? {}).filter(
    ([key]) => key !== refNameAnnotation && key !== imageNameAnnotation,
  );
  return kept.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(kept) };
}
