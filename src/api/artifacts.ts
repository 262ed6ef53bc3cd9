import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ContentSource, ContentTarget } from '../content/content.js';
import { readManifest } from '../content/read-content.js';
import { LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import type { Descriptor } from '../oci/descriptor.js';
import { type Digest, digestOf } from '../oci/digest.js';
import { encodeManifest, type ImageManifest } from '../oci/manifest.js';
import { mediaTypes } from '../oci/media-types.js';
import { inOnePiece } from '../stream/bytes.js';
import { Digester } from '../stream/verified.js';
import { type CopyBetweenOptions, withPlace } from './copy-between.js';
import { referrerSource } from './copy-referrers.js';
import { resolveIn } from './resolve-in.js';

/** Artifacts that speak of images (OCI image-spec 1.1, manifest.md, "Guidelines for Artifact Usage"). */

export interface ArtifactOptions extends CopyBetweenOptions {
  /** Of an image of several platforms this one's manifest is meant, not the index. */
  readonly platform?: string | undefined;
}

export interface ListReferrersOptions extends ArtifactOptions {
  readonly artifactType?: string | undefined;
}

export interface Referrers {
  /** What they speak of. */
  readonly subject: Descriptor;
  readonly referrers: readonly Descriptor[];
}

/** What speaks of an image: signatures, statements, lists of parts … */
export async function listReferrers(image: string, options: ListReferrersOptions): Promise<Referrers> {
  const { signal, artifactType } = options;
  return await withPlace(image, 'read', options, async place => {
    const subject = await resolveIn(place, options);
    const referrers: Descriptor[] = [];
    for await (const each of referrerSource(place).referrers(subject.digest, { artifactType, signal })) {
      referrers.push(each);
    }
    return { subject, referrers };
  });
}

export interface ArtifactFile {
  /** On this machine. */
  readonly path: string;
  /** The name that it is to have when it is fetched; no path. */
  readonly name: string;
  /** Default `application/octet-stream`. */
  readonly mediaType?: string | undefined;
}

export interface AttachOptions extends ArtifactOptions {
  /** What the artifact is, such as `application/spdx+json`. */
  readonly artifactType: string;
  readonly files: readonly ArtifactFile[];
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/**
 * Attaches files to an image as an artifact that speaks of it. The image itself does not change.
 * @returns the artifact's manifest
 * @throws LadingError INVALID_VALUE, PATH_INVALID, IO; DIGEST_MISMATCH or SIZE_MISMATCH for a file that changes meanwhile
 */
export async function attachArtifact(image: string, options: AttachOptions): Promise<Descriptor> {
  const { artifactType, files, annotations = {}, signal } = options;
  if (!/^[\w.+-]+\/[\w.+-]+$/.test(artifactType) || artifactType.length > 255) throw badType(artifactType);
  return await withPlace(image, 'write', options, async place => {
    const { mediaType, digest, size } = await resolveIn(place, options);
    const layers: Descriptor[] = [];
    for (const file of files) layers.push(await putFile(place, file, options));
    const empty = new TextEncoder().encode('{}');
    const config = { mediaType: mediaTypes.empty, digest: digestOf(empty), size: empty.length };
    await place.put(config, inOnePiece(empty), { signal });
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType,
      config,
      // An artifact without files still has a layer, which is empty: some registries want one.
      layers: layers.length > 0 ? layers : [config],
      subject: { mediaType, digest, size },
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    };
    const bytes = encodeManifest(manifest);
    const descriptor = { mediaType: mediaTypes.manifest, digest: digestOf(bytes), size: bytes.length };
    await place.put(descriptor, inOnePiece(bytes), { signal });
    await place.tag(descriptor, descriptor.digest, { signal });
    return descriptor;
  });
}

export interface FetchArtifactOptions extends CopyBetweenOptions {
  /** Made when it is missing. */
  readonly directory: string;
  /** Write over files that are there. */
  readonly overwrite?: boolean | undefined;
}

export interface FetchedFile {
  readonly name: string;
  readonly descriptor: Descriptor;
}

/**
 * Writes the files of an artifact (`NAME@DIGEST`) into a folder, each under the name that the artifact gives it, else
 * under its digest.
 * @throws LadingError PATH_INVALID for names that lead elsewhere, and for files that are there already
 */
export async function fetchArtifact(artifact: string, options: FetchArtifactOptions): Promise<FetchedFile[]> {
  const { directory, overwrite = false, signal } = options;
  return await withPlace(artifact, 'read', options, async place => {
    const descriptor = await place.resolve(place.name, { signal, toOpen: true });
    const { value } = await readManifest(place, descriptor, { signal });
    const files = value.layers
      .filter(({ mediaType }) => mediaType !== mediaTypes.empty)
      .map(layer => ({ name: fileName(layer), descriptor: layer }));
    const twice = files.find((file, i) => files.findIndex(({ name }) => name === file.name) !== i);
    if (twice !== undefined) throw badName(twice.name, 'two files of the artifact have this name');
    await mkdir(directory, { recursive: true }).catch(error => {
      throw ioError(error, directory);
    });
    for (const file of files) await writeFile(place, file, join(directory, file.name), { overwrite, signal });
    return files;
  });
}

/** Read twice, for its digest and then to send it: should it change meanwhile, the target refuses it. */
async function putFile(
  place: ContentTarget,
  { path, name, mediaType = 'application/octet-stream' }: ArtifactFile,
  { signal }: ArtifactOptions,
): Promise<Descriptor> {
  if (!isFileName(name)) throw badName(name, 'not a plain file name');
  const digester = new Digester('sha256');
  let size = 0;
  try {
    if (!(await lstat(path)).isFile()) throw badName(path, 'not a regular file');
    for await (const chunk of createReadStream(path, { signal })) {
      digester.update(chunk as Buffer);
      size += (chunk as Buffer).length;
    }
  } catch (error) {
    throw ioError(error, path);
  }
  const annotations = { 'org.opencontainers.image.title': name };
  const descriptor = { mediaType, digest: digester.digest() as Digest, size, annotations };
  await place.put(descriptor, createReadStream(path, { signal }), { signal });
  return descriptor;
}

async function writeFile(
  source: ContentSource,
  { name, descriptor }: FetchedFile,
  path: string,
  { overwrite, signal }: { readonly overwrite: boolean; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const content = await source.open(descriptor, { signal });
  try {
    if (overwrite) await rm(path, { force: true });
    // Never through a link, never over what is there.
    const handle = await open(path, 'wx', 0o644);
    try {
      await pipeline(content, handle.createWriteStream(), { signal });
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw badName(name, 'it is there already');
    throw ioError(error, path);
  } finally {
    content.destroy();
  }
}

function fileName({ digest, annotations }: Descriptor): string {
  const title = annotations?.['org.opencontainers.image.title'];
  if (title === undefined) return digest.slice(digest.indexOf(':') + 1);
  if (!isFileName(title)) throw badName(title, 'it is no plain file name');
  return title;
}

function isFileName(name: string): boolean {
  // A backslash or a colon leads elsewhere on other systems.
  return name !== '' && name !== '.' && name !== '..' && name.length <= 255 && !/[/\\:\u0000-\u001f\u007f]/.test(name);
}

function badName(name: string, problem: string): LadingError<'PATH_INVALID'> {
  const shown = name.slice(0, 300);
  return new LadingError('PATH_INVALID', `${JSON.stringify(shown)}: ${problem}`, { details: { path: shown, problem } });
}

function badType(value: string): LadingError<'INVALID_VALUE'> {
  const shown = value.slice(0, 300);
  return new LadingError('INVALID_VALUE', `not a type of artifact: ${JSON.stringify(shown)}`, {
    details: { what: 'artifact type', value: shown },
    hint: 'It is a media type, such as application/spdx+json.',
  });
}
