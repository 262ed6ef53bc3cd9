/** Tar blocks made by hand, so that tests can say what no well-behaved writer would. */
export interface RawHeader {
  readonly name?: string | Uint8Array;
  readonly type?: string;
  /** A number is written in octal; text as it is. */
  readonly size?: number | string | Uint8Array;
  readonly mode?: number | string;
  readonly uid?: number | string | Uint8Array;
  readonly gid?: number | string | Uint8Array;
  readonly mtime?: number | string | Uint8Array;
  readonly link?: string | Uint8Array;
  readonly magic?: string;
  readonly prefix?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly checksum?: 'right' | 'signed' | 'wrong';
  /** Bytes put anywhere, last. */
  readonly patch?: readonly [offset: number, bytes: Uint8Array];
}

export function rawHeader(header: RawHeader): Buffer {
  const block = Buffer.alloc(512);
  const put = (value: string | number | Uint8Array | undefined, at: number, length: number): void => {
    if (value === undefined) return;
    if (typeof value === 'number') block.write(value.toString(8).padStart(length - 1, '0'), at, length, 'latin1');
    else block.set(typeof value === 'string' ? Buffer.from(value).subarray(0, length) : value.subarray(0, length), at);
  };
  put(header.name ?? 'file', 0, 100);
  put(header.mode ?? 0o644, 100, 8);
  put(header.uid ?? 0, 108, 8);
  put(header.gid ?? 0, 116, 8);
  put(header.size ?? 0, 124, 12);
  put(header.mtime ?? 0, 136, 12);
  put(header.type ?? '0', 156, 1);
  put(header.link, 157, 100);
  put(header.magic ?? 'ustar\x0000', 257, 8);
  put(header.major, 329, 8);
  put(header.minor, 337, 8);
  put(header.prefix, 345, 155);
  if (header.patch !== undefined) block.set(header.patch[1], header.patch[0]);
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += header.checksum === 'signed' ? (byte << 24) >> 24 : byte;
  if (header.checksum === 'wrong') sum += 1;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Content padded to whole blocks. */
export function padded(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** A header with its content behind it. */
export function rawEntry(header: RawHeader, content: string | Uint8Array = ''): Buffer {
  return Buffer.concat([rawHeader({ size: Buffer.from(content as string).length, ...header }), padded(content)]);
}

/** A PAX header with these records. */
export function rawPax(records: ReadonlyArray<readonly [string, string | Uint8Array]>, type: 'x' | 'g' = 'x'): Buffer {
  const body = Buffer.concat(
    records.map(([key, value]) => {
      const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value as string), Buffer.from('\n')]);
      let length = rest.length + 1;
      while (String(length).length + rest.length !== length) length += 1;
      return Buffer.concat([Buffer.from(String(length)), rest]);
    }),
  );
  return rawEntry({ name: 'PaxHeaders/x', type }, body);
}

export const endMarker: Buffer = Buffer.alloc(1024);

/** Whole blocks, with the end marker. */
export function rawTar(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...parts, endMarker]);
}

/** The bytes as a stream of chunks of these sizes, over and over; whole when there are none. */
export async function* chunked(bytes: Uint8Array, sizes: readonly number[] = []): AsyncGenerator<Uint8Array> {
  if (sizes.length === 0) {
    yield bytes;
    return;
  }
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length]!);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
