/** Memory that several threads see: nothing is copied, and nobody loses what he hands on. */
export type SharedBytes = Uint8Array<SharedArrayBuffer>;

export function sharedBytes(size: number): SharedBytes {
  return new Uint8Array(new SharedArrayBuffer(size));
}

/** A copy in such memory. */
export function toShared(bytes: Uint8Array): SharedBytes {
  const copy = sharedBytes(bytes.length);
  copy.set(bytes);
  return copy;
}
