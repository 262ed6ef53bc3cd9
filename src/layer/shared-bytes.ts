/** Memory that several threads see: nothing is copied, and nobody loses what he hands on. */
export type SharedBytes = Uint8Array<SharedArrayBuffer>;

export function sharedBytes(size: number): SharedBytes {
  return new Uint8Array(new SharedArrayBuffer(size));
}
