import type { TransferNote } from '../../content/content.js';
import { isLadingError } from '../../errors/errors.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { type Bytes, inOnePiece } from '../../stream/bytes.js';
import { CheckedContent } from '../../stream/checked-content.js';
import { readCapped } from '../../stream/read-capped.js';
import { isRereadable, type Rereadable, readableOnce, rereadable } from '../../stream/rereadable.js';
import { verified } from '../../stream/verified.js';
import { backoffMs, isPassingStatus } from '../http/http.js';
import { isPassing } from '../http/network-error.js';
import { systemTiming, type Timing } from '../http/timing.js';
import type { RegistryConnection } from './connection.js';
import type { RegistryEventSink } from './events.js';
import { type SessionOptions, UploadSession } from './upload-session.js';

export interface UploadOptions extends SessionOptions {
  /** An upload that the registry has already begun. */
  readonly session?: URL | undefined;
  /** Sends blobs larger than this in pieces of this size. Default: a blob is one request, until one fails. */
  readonly chunkSizeBytes?: number | undefined;
  /** Where another process finds out how to go on. */
  readonly note?: TransferNote | undefined;
  readonly timing?: Timing | undefined;
  readonly onEvent?: RegistryEventSink | undefined;
}

/** Blobs up to this size are sent again rather than noted, and held in memory where they can be read only once. */
export const smallSize = 4 * 1024 * 1024;
const defaultChunkSize = 8 * 1024 * 1024;
/** Nobody refuses pieces of this size; who does, means something else. */
const leastChunkSize = 256 * 1024;
/** How often in a row it may fail without the registry having got further. */
const failuresWithoutProgress = 4;

/**
 * Uploads a blob that is not there: as one request, and after a failure in pieces, from where the registry says that it
 * is. Bytes that do not match the descriptor never become a blob: the last of them is not sent before all are checked.
 * On an error the upload is cancelled at the registry, unless a note says where to go on and it may go on some time.
 * Large content that is not {@link Rereadable} is sent once, whatever happens.
 */
export async function uploadBlob(
  connection: RegistryConnection,
  descriptor: Descriptor,
  content: Bytes,
  options: UploadOptions,
): Promise<void> {
  const upload = new Upload(connection, descriptor, await readable(content, descriptor), options);
  try {
    await upload.run();
  } catch (error) {
    if (options.note === undefined || !(options.signal?.aborted || mayPass(error))) await upload.cancel();
    throw error;
  }
}

class Upload {
  readonly #connection: RegistryConnection;
  readonly #descriptor: Descriptor;
  readonly #content: CheckedContent;
  readonly #options: UploadOptions;
  readonly #timing: Timing;
  #session: UploadSession | undefined;
  #chunkSize: number;
  /** How far the registry is, and how far we once were. */
  #offset = 0;
  #furthest = 0;
  #repeated = 0;
  /** Another process has begun it. */
  #continued = false;

  constructor(connection: RegistryConnection, descriptor: Descriptor, content: Rereadable, options: UploadOptions) {
    this.#connection = connection;
    this.#descriptor = descriptor;
    this.#content = new CheckedContent(content, descriptor);
    this.#options = options;
    this.#timing = options.timing ?? systemTiming;
    this.#chunkSize = options.chunkSizeBytes ?? defaultChunkSize;
  }

  async run(): Promise<void> {
    this.#session = await this.#begin();
    let whole = this.#offset === 0 && this.#options.chunkSizeBytes === undefined;
    let reached = this.#offset;
    for (let failures = 0; ; ) {
      try {
        const atOnce = this.#offset === 0 && (whole || this.#descriptor.size <= this.#chunkSize);
        await (atOnce ? this.#sendWhole() : this.#sendPieces());
        break;
      } catch (error) {
        if (this.#options.signal?.aborted) throw this.#options.signal.reason;
        if (this.#continued && isWrong(error)) {
          // What another process left there is not what we took it for.
          await this.#beginAnew();
          continue;
        }
        const limited = isLadingError(error, 'REGISTRY_RESPONSE') && error.details.status === 413;
        if (this.#content.spent || !(mayGoOn(error) || (limited && this.#shrink(whole)))) throw error;
        whole = false;
        if (!limited) await this.#timing.wait(backoffMs(failures, this.#timing), this.#options.signal);
        if (await this.#isThere()) break;
        await this.#findOut();
        failures = this.#offset > reached ? 0 : failures + 1;
        reached = Math.max(reached, this.#offset);
        if (failures > failuresWithoutProgress) throw error;
      }
    }
    if (this.#repeated > 0) this.#tell('transfer-repeated', this.#repeated);
  }

  async cancel(): Promise<void> {
    await this.#session?.cancel();
  }

  async #begin(): Promise<UploadSession> {
    const { note, session } = this.#options;
    if (session !== undefined) {
      await note?.write(session.href);
      return UploadSession.resume(this.#connection, this.#options, session, note);
    }
    const noted = await note?.read();
    if (noted === undefined || !URL.canParse(noted)) return UploadSession.start(this.#connection, this.#options, note);
    const earlier = UploadSession.resume(this.#connection, this.#options, new URL(noted), note);
    const received = await earlier.received();
    if (received === undefined || received > this.#descriptor.size) {
      return UploadSession.start(this.#connection, this.#options, note);
    }
    this.#offset = this.#furthest = received;
    this.#continued = true;
    this.#tell('transfer-continued', received);
    return earlier;
  }

  async #sendWhole(): Promise<void> {
    const { size } = this.#descriptor;
    const content = this.#content;
    const body: Rereadable = {
      ...rereadable(offset => this.#counted(content.from(offset))),
      get spent() {
        return content.spent;
      },
    };
    await this.#session!.finish(this.#descriptor, body, size);
  }

  async #sendPieces(): Promise<void> {
    const session = this.#session!;
    const size = Math.max(this.#chunkSize, session.minChunkBytes);
    const left = this.#descriptor.size - this.#offset;
    for await (const piece of pieces(this.#content.from(this.#offset), size, left)) {
      let rest = piece;
      while (rest.length > 0) {
        this.#count(this.#offset, rest.length);
        const received = await session.append(rest, this.#offset);
        rest = rest.subarray(received - this.#offset);
        this.#offset = received;
      }
    }
    await session.finish(this.#descriptor);
  }

  /** Where the registry is after a failure, in the same upload or, when it has forgotten that, in a new one. */
  async #findOut(): Promise<void> {
    const received = await this.#session!.received();
    if (received !== undefined && received <= this.#descriptor.size) {
      this.#offset = received;
      return;
    }
    await this.#beginAnew();
  }

  async #beginAnew(): Promise<void> {
    await this.#session!.cancel();
    this.#session = await UploadSession.start(this.#connection, this.#options, this.#options.note);
    this.#offset = 0;
    this.#continued = false;
  }

  /** Whether it was only the answer that was lost. */
  async #isThere(): Promise<boolean> {
    const { scopes, signal, repository } = this.#options;
    const url = `/v2/${repository}/blobs/${this.#descriptor.digest}`;
    const response = await this.#connection.send({ method: 'HEAD', url, scopes, signal });
    response.discard();
    if (response.status === 200) await this.#options.note?.remove();
    return response.status === 200;
  }

  /** Whether smaller requests are worth a try: something on the way limits their size. */
  #shrink(whole: boolean): boolean {
    if (whole) return this.#descriptor.size > leastChunkSize;
    if (this.#chunkSize <= Math.max(leastChunkSize, this.#session!.minChunkBytes)) return false;
    this.#chunkSize = Math.max(leastChunkSize, this.#chunkSize / 4);
    return true;
  }

  async *#counted(content: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    let at = 0;
    for await (const chunk of content) {
      this.#count(at, chunk.length);
      at += chunk.length;
      yield chunk;
    }
  }

  #count(at: number, length: number): void {
    this.#repeated += Math.max(0, Math.min(this.#furthest, at + length) - at);
    this.#furthest = Math.max(this.#furthest, at + length);
  }

  #tell(kind: 'transfer-continued' | 'transfer-repeated', bytes: number): void {
    const common = { direction: 'upload', digest: this.#descriptor.digest } as const;
    this.#options.onEvent?.(
      kind === 'transfer-continued' ? { kind, ...common, offset: bytes } : { kind, ...common, bytes },
    );
  }
}

async function readable(content: Bytes, descriptor: Descriptor): Promise<Rereadable> {
  if (isRereadable(content)) return content;
  if (descriptor.size > smallSize) return readableOnce(content);
  const bytes = await readCapped(verified(content, descriptor), smallSize, 'blob');
  return rereadable(offset => inOnePiece(bytes.subarray(offset)));
}

/** Whether the upload may succeed after all when it is asked where the registry stands. */
function mayGoOn(error: unknown): boolean {
  if (isLadingError(error, 'AUTH_FAILED')) return error.details.status === 401;
  if (!isLadingError(error, 'REGISTRY_RESPONSE')) return mayPass(error);
  const { status, errors } = error.details;
  // What was refused because of its place in the upload, not because of itself.
  const misplaced = ['BLOB_UPLOAD_UNKNOWN', 'BLOB_UPLOAD_INVALID', 'RANGE_INVALID'];
  return mayPass(error) || status === 416 || status === 404 || errors.some(({ code }) => misplaced.includes(code));
}

function isWrong(error: unknown): boolean {
  if (!isLadingError(error, 'REGISTRY_RESPONSE')) return false;
  return error.details.errors.some(({ code }) => code === 'DIGEST_INVALID');
}

/** Whether the same may succeed later, all by itself. */
function mayPass(error: unknown): boolean {
  if (isLadingError(error, 'REGISTRY_UNREACHABLE')) return isPassing(error.cause);
  return isLadingError(error, 'REGISTRY_RESPONSE') && isPassingStatus(error.details.status);
}

/** Pieces of one size, and a last one; there are `left` bytes. */
async function* pieces(content: AsyncIterable<Uint8Array>, size: number, left: number): AsyncGenerator<Buffer> {
  let piece = Buffer.allocUnsafeSlow(Math.min(size, left));
  let length = 0;
  for await (let chunk of content) {
    while (chunk.length > 0) {
      const taken = Math.min(chunk.length, piece.length - length);
      piece.set(chunk.subarray(0, taken), length);
      length += taken;
      chunk = chunk.subarray(taken);
      if (length < piece.length) continue;
      yield piece;
      left -= length;
      piece = Buffer.allocUnsafeSlow(Math.min(size, left));
      length = 0;
    }
  }
}
