import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { LadingError } from '../../errors/errors.js';
import { ioError } from '../../errors/io-error.js';
import { invalidArchive } from '../../layer/invalid-archive.js';
import { parsePaxNumber, parsePaxRecords } from '../../layer/pax.js';
import {
  blockSize,
  fields,
  headerChecksum,
  paddedSize,
  parseNumber,
  signedHeaderChecksum,
} from '../../layer/tar-fields.js';
import { writeAll } from '../../store/durable.js';
import type { CallOptions } from '../../stream/bytes.js';
import { decompress, sniffCompression } from '../../stream/compression.js';
import { readCapped } from '../../stream/read-capped.js';

/** A file in an archive: where its bytes are. */
export interface TarMember {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

export interface OpenTarOptions extends CallOptions {
  /** A folder for the uncompressed copy of an archive that is compressed as a whole. */
  readonly tmpDir: string;
  /** What it is called to people; by default its path. */
  readonly title?: string | undefined;
}

const memberLimit = 1_000_000;
const extensionLimit = 1024 * 1024;
const chunkSize = 256 * 1024;

/**
 * The regular files of a tar file, each readable at any time: an index of it is made once, by going from header to
 * header past the contents. Meant for archives of images, whose layers stay packed; what is in layers is not seen here.
 */
export class TarFile {
  /** What it is called to people. */
  readonly title: string;
  readonly #handle: FileHandle;
  readonly #members = new Map<string, TarMember>();
  readonly #links = new Map<string, string>();

  private constructor(handle: FileHandle, title: string) {
    this.#handle = handle;
    this.title = title;
  }

  /** @throws LadingError INVALID_ARCHIVE, CORRUPT_STREAM, IO */
  static async open(file: string, { tmpDir, title = file, signal }: OpenTarOptions): Promise<TarFile> {
    signal?.throwIfAborted();
    const handle = await plainTar(file, tmpDir, signal);
    try {
      const tar = new TarFile(handle, title);
      await tar.#index(signal);
      return tar;
    } catch (error) {
      await handle.close();
      throw ioError(error, title);
    }
  }

  /** The file of a name; links inside the archive are followed. */
  member(name: string): TarMember | undefined {
    let at: string | undefined = cleanName(name);
    for (let hops = 0; at !== undefined && hops < 10; hops++) {
      const member = this.#members.get(at);
      if (member !== undefined) return member;
      at = this.#links.get(at);
    }
    return undefined;
  }

  read(member: TarMember, { signal }: CallOptions = {}): Readable {
    return Readable.from(readRange(this.#handle, this.title, member.offset, member.size, signal), {
      objectMode: false,
    });
  }

  /** All bytes of a small file; `undefined` when it is not there. @throws LadingError SIZE_EXCEEDED */
  async readSmall(name: string, limit: number, options?: CallOptions): Promise<Buffer | undefined> {
    const member = this.member(name);
    return member && readCapped(this.read(member, options), limit, `${name} in ${this.title}`);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #index(signal: AbortSignal | undefined): Promise<void> {
    const { size: end } = await this.#handle.stat();
    const header = Buffer.alloc(blockSize);
    let longName: string | undefined;
    let longLink: string | undefined;
    let pax: ReadonlyMap<string, string> = new Map();
    for (let at = 0, seen = 0; at + blockSize <= end; seen++) {
      signal?.throwIfAborted();
      if (seen > memberLimit) throw invalidArchive('more entries than any image needs');
      await readFully(this.#handle, header, at);
      if (header.every(byte => byte === 0)) return;
      const stored = parseNumber(header, ...fields.checksum);
      if (stored !== headerChecksum(header, 0) && stored !== signedHeaderChecksum(header, 0)) {
        throw invalidArchive(seen === 0 ? 'no tar header at its start' : 'a header with a wrong checksum');
      }
      const type = String.fromCharCode(header[fields.type[0]]!);
      const body = at + blockSize;
      const paxSize = pax.get('size');
      const size = paxSize === undefined ? parseNumber(header, ...fields.size) : parsePaxNumber(paxSize, 'entry');
      if (!(size >= 0) || !Number.isSafeInteger(body + size)) throw invalidArchive('an entry with an impossible size');
      const content = /[1-6]/.test(type) ? 0 : size;
      if (body + content > end) throw invalidArchive('an entry that goes past its end');
      at = body + paddedSize(content);
      if (type === 'x' || type === 'L' || type === 'K' || type === 'g') {
        if (content > extensionLimit) throw invalidArchive('an extended header of impossible size');
        const bytes = Buffer.alloc(content);
        await readFully(this.#handle, bytes, body);
        if (type === 'x') pax = parsePaxRecords(bytes);
        if (type === 'L') longName = textOf(bytes);
        if (type === 'K') longLink = textOf(bytes);
        continue;
      }
      const name = cleanName(paxText(pax, 'path') ?? longName ?? headerName(header));
      const target = paxText(pax, 'linkpath') ?? longLink ?? textOf(slice(header, fields.linkName));
      pax = new Map();
      longName = longLink = undefined;
      if (name === undefined) continue;
      if (type === '0' || type === '\0' || type === '7') {
        this.#links.delete(name);
        this.#members.set(name, { name, offset: body, size: content });
      } else if (type === '1' || type === '2') {
        const linked = cleanName(type === '1' ? target : path.posix.join(path.posix.dirname(name), target));
        this.#members.delete(name);
        if (linked !== undefined) this.#links.set(name, linked);
      }
    }
  }
}

/** A handle on the archive itself, or on an uncompressed copy that vanishes when it is closed. */
async function plainTar(file: string, tmpDir: string, signal: AbortSignal | undefined): Promise<FileHandle> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw ioError(error, file);
    throw new LadingError('PATH_NOT_FOUND', `there is no file ${file}`, { details: { path: file } });
  });
  try {
    if (!(await handle.stat()).isFile()) {
      throw new LadingError('PATH_INVALID', `${file} is not a regular file`, {
        details: { path: file, problem: 'not a regular file' },
        hint: 'An archive is read at many places; write it to a file first.',
      });
    }
    const head = Buffer.alloc(6);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    const compression = sniffCompression(head.subarray(0, bytesRead));
    if (compression === 'none') return handle;
    if (compression === 'bzip2' || compression === 'xz') {
      throw new LadingError('UNSUPPORTED', `${file} is compressed with ${compression}`, {
        details: { feature: `${compression} archives` },
        hint: `Uncompress it first: ${compression === 'xz' ? 'xz' : 'bzip2'} -d ${path.basename(file)}`,
      });
    }
    const compressed = readRange(handle, file, 0, Number.MAX_SAFE_INTEGER, signal);
    const copy = await spool(decompress(compressed, compression, file), tmpDir);
    await handle.close();
    return copy;
  } catch (error) {
    await handle.close().catch(() => {});
    throw ioError(error, file);
  }
}

async function spool(content: AsyncIterable<Uint8Array>, tmpDir: string): Promise<FileHandle> {
  const temporary = path.join(tmpDir, `lading-${randomUUID()}.tar`);
  const handle = await open(temporary, 'wx+', 0o600).catch(error => {
    throw ioError(error, temporary);
  });
  try {
    for await (const chunk of content) await writeAll(handle, chunk);
    return handle;
  } catch (error) {
    await handle.close();
    throw ioError(error, temporary);
  } finally {
    // Open files outlive their names, except on Windows, where the folder for temporary files is swept.
    await rm(temporary, { force: true }).catch(() => {});
  }
}

async function* readRange(
  handle: FileHandle,
  file: string,
  offset: number,
  size: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < size; ) {
    signal?.throwIfAborted();
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunkSize, size - done));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset + done).catch(error => {
      throw ioError(error, file);
    });
    if (bytesRead === 0) return;
    done += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function readFully(handle: FileHandle, buffer: Buffer, position: number): Promise<void> {
  for (let done = 0; done < buffer.length; ) {
    const { bytesRead } = await handle.read(buffer, done, buffer.length - done, position + done);
    if (bytesRead === 0) throw invalidArchive('an entry that goes past its end');
    done += bytesRead;
  }
}

/** Relative, without `.`; `undefined` for what would lead out of the archive, which nothing in an image does. */
function cleanName(name: string): string | undefined {
  const clean = path.posix.normalize(`./${name}`).replace(/\/+$/, '');
  return clean === '..' || clean.startsWith('../') ? undefined : clean;
}

function headerName(header: Buffer): string {
  const name = textOf(slice(header, fields.name));
  const ustar = header.toString('latin1', fields.magic[0], fields.magic[0] + 6) === 'ustar\0';
  const prefix = ustar ? textOf(slice(header, fields.prefix)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function slice(header: Buffer, [offset, length]: readonly [number, number]): Buffer {
  return header.subarray(offset, offset + length);
}

function paxText(records: ReadonlyMap<string, string>, key: string): string | undefined {
  const value = records.get(key);
  return value === undefined ? undefined : Buffer.from(value, 'latin1').toString('utf8');
}

function textOf(bytes: Buffer): string {
  const nul = bytes.indexOf(0);
  return bytes.toString('utf8', 0, nul < 0 ? bytes.length : nul);
}
