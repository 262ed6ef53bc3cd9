/** Bytes on their way in: anything that can be iterated. On their way out they are always a Node `Readable`. */
export type Bytes = AsyncIterable<Uint8Array>;

/** What every asynchronous call of the library takes. */
export interface CallOptions {
  /** Ends the call early; it then fails with the signal's reason and leaves nothing behind. */
  readonly signal?: AbortSignal | undefined;
}

/** Bytes that are in memory, as a stream of one chunk. */
export async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
