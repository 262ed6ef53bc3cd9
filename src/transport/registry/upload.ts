import type { Descriptor } from '../../oci/descriptor.js';
import { isDigest } from '../../oci/digest.js';
import type { Bytes } from '../../stream/bytes.js';
import { readCapped } from '../../stream/read-capped.js';
import { digestMismatch, verified } from '../../stream/verified.js';
import type { HttpResponse } from '../http/http.js';
import { isPassing } from '../http/network-error.js';
import type { RegistryConnection } from './connection.js';
import { protocolError, responseError } from './failure.js';
import { locationOf } from './response-location.js';

export interface UploadOptions {
  readonly repository: string;
  readonly scopes: readonly string[];
  /** An upload that the registry has already begun. */
  readonly session?: URL | undefined;
  /** Sends blobs larger than this in pieces of this size. Default: a blob is one request. */
  readonly chunkSizeBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Blobs up to this size are held in memory, so that their upload can be repeated. */
const replayableSize = 4 * 1024 * 1024;
const sessionsPerBlob = 3;

/**
 * Uploads a blob that is not there. Bytes that do not match the descriptor never become a blob: the last of them is
 * not sent before all are checked. On an error the upload is cancelled at the registry.
 */
export async function uploadBlob(
  connection: RegistryConnection,
  descriptor: Descriptor,
  content: Bytes,
  options: UploadOptions,
): Promise<void> {
  if (descriptor.size <= replayableSize) {
    const bytes = await readCapped(verified(content, descriptor), replayableSize, 'blob');
    return uploadBytes(connection, descriptor, bytes, options);
  }
  await withSession(connection, options, options.session, async session => {
    const checked = holdingBack(verified(content, descriptor));
    if (options.chunkSizeBytes === undefined) {
      await finish(connection, descriptor, session, checked, descriptor.size, options);
    } else {
      await uploadChunks(connection, descriptor, session, checked, options.chunkSizeBytes, options);
    }
  });
}

/** Begins an upload; the answer says where it goes on. */
export async function startUpload(
  connection: RegistryConnection,
  { repository, scopes, signal }: UploadOptions,
): Promise<URL> {
  const response = await connection.send({
    method: 'POST',
    url: `/v2/${repository}/blobs/uploads/`,
    headers: { 'content-length': '0' },
    scopes,
    signal,
  });
  if (response.status !== 202)
    throw await responseError(response, `cannot upload to ${connection.registry}/${repository}`);
  response.discard();
  return locationOf(response, await connection.base(signal));
}

/** Tells the registry to forget an upload. Best effort, and in a hurry: it forgets by itself, only later. */
export async function cancelUpload(
  connection: RegistryConnection,
  session: URL,
  scopes: readonly string[],
): Promise<void> {
  try {
    const signal = AbortSignal.timeout(2_000);
    (await connection.send({ method: 'DELETE', url: session, scopes, retries: 0, signal })).discard();
  } catch {
    // What went wrong before is what the caller wants to know.
  }
}

/** Where the upload stands is known to the registry alone: the latest `Location` is the session. */
interface Session {
  url: URL;
}

async function withSession(
  connection: RegistryConnection,
  options: UploadOptions,
  begun: URL | undefined,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const session = { url: begun ?? (await startUpload(connection, options)) };
  try {
    await work(session);
  } catch (error) {
    await cancelUpload(connection, session.url, options.scopes);
    throw error;
  }
}

async function uploadBytes(
  connection: RegistryConnection,
  descriptor: Descriptor,
  bytes: Buffer,
  options: UploadOptions,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    let forgotten = false;
    try {
      const begun = attempt === 1 ? options.session : undefined;
      return await withSession(connection, options, begun, async session => {
        await finish(connection, descriptor, session, bytes, bytes.length, options, response => {
          forgotten = response.status === 404 && attempt < sessionsPerBlob;
        });
      });
    } catch (error) {
      // A repeated request can find that its first try had ended the upload: only a new one can tell.
      if (!forgotten) throw error;
    }
  }
}

async function finish(
  connection: RegistryConnection,
  { digest }: Descriptor,
  session: Session,
  body: Uint8Array | Bytes | undefined,
  length: number,
  { scopes, signal }: UploadOptions,
  onRefusal?: (response: HttpResponse) => void,
): Promise<void> {
  const { href, search } = session.url;
  const response = await connection.send({
    method: 'PUT',
    // Appended to the text: a registry may have signed its own part of the query as it stands.
    url: new URL(`${href}${search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`),
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(length) },
    body,
    scopes,
    signal,
  });
  if (response.status !== 201 && response.status !== 204) {
    onRefusal?.(response);
    throw await responseError(response, `cannot upload ${digest}`);
  }
  response.discard();
  const stored = response.header('docker-content-digest');
  if (stored !== undefined && stored !== digest) {
    if (!isDigest(stored)) throw protocolError(response.url, 'names what it stored by something that is not a digest');
    throw digestMismatch(digest, stored);
  }
}

async function uploadChunks(
  connection: RegistryConnection,
  descriptor: Descriptor,
  session: Session,
  content: Bytes,
  chunkSize: number,
  options: UploadOptions,
): Promise<void> {
  let offset = 0;
  for await (const chunk of chunked(content, chunkSize)) {
    await sendChunk(connection, session, chunk, offset, options);
    offset += chunk.length;
  }
  await finish(connection, descriptor, session, undefined, 0, options);
}

/** Sends one chunk; when the answer is lost, asks how much arrived and goes on from there. */
async function sendChunk(
  connection: RegistryConnection,
  session: Session,
  chunk: Buffer,
  offset: number,
  { scopes, signal }: UploadOptions,
): Promise<void> {
  let sent = 0;
  for (let attempt = 1; sent < chunk.length; attempt++) {
    const rest = chunk.subarray(sent);
    try {
      const response = await connection.send({
        method: 'PATCH',
        url: session.url,
        headers: {
          'content-type': 'application/octet-stream',
          'content-length': String(rest.length),
          'content-range': `${offset + sent}-${offset + chunk.length - 1}`,
        },
        body: rest,
        // Sent twice, the same piece would be the wrong piece.
        retries: 0,
        scopes,
        signal,
      });
      if (response.status !== 202) throw await responseError(response, 'cannot upload a part of a blob');
      response.discard();
      session.url = locationOf(response, await connection.base(signal));
      return;
    } catch (error) {
      if (attempt >= 4 || !isPassing((error as Error).cause)) throw error;
      sent = (await uploadedBytes(connection, session, scopes, signal)) - offset;
      if (sent < 0 || sent > chunk.length) throw error;
    }
  }
}

async function uploadedBytes(
  connection: RegistryConnection,
  session: Session,
  scopes: readonly string[],
  signal: AbortSignal | undefined,
): Promise<number> {
  const response = await connection.send({ method: 'GET', url: session.url, scopes, signal });
  if (response.status !== 204 && response.status !== 202) throw await responseError(response, 'the upload is lost');
  response.discard();
  if (response.header('location') !== undefined) session.url = locationOf(response, await connection.base(signal));
  const last = /^(?:bytes=)?0-(\d{1,15})$/.exec(response.header('range') ?? '')?.[1];
  // "0-0" is what registries say both of nothing and of a single byte; chunks are never a single byte.
  return last === undefined || last === '0' ? 0 : Number(last) + 1;
}

/** The same bytes, one chunk late, so that an error at the end comes before the last of them. */
async function* holdingBack(content: Bytes): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined;
  for await (const chunk of content) {
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (held !== undefined) yield held;
}

async function* chunked(content: Bytes, size: number): AsyncGenerator<Buffer> {
  let pending: Uint8Array[] = [];
  let length = 0;
  for await (let rest of content) {
    while (length + rest.length >= size) {
      const taken = size - length;
      yield Buffer.concat([...pending, rest.subarray(0, taken)]);
      pending = [];
      length = 0;
      rest = rest.subarray(taken);
    }
    if (rest.length > 0) pending.push(rest);
    length += rest.length;
  }
  if (length > 0) yield Buffer.concat(pending);
}
