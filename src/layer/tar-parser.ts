import { decodePath } from '../tree/path.js';
import { invalidArchive } from './invalid-archive.js';
import { type PaxRecords, parsePaxRecords } from './pax.js';
import { defaultTarLimits, type ParsedHeader, parseTarEntry, type TarEntry, type TarLimits } from './tar-entry.js';
import { blockSize, fields, headerChecksum, paddedSize, parseNumber, signedHeaderChecksum } from './tar-fields.js';
import {
  checkSparseMap,
  parsePaxSparseMap,
  readOldSparseSlots,
  SparseExpander,
  SparseMapReader,
  type SparseRegion,
} from './tar-sparse.js';

/** What a parser reports, in the order of the archive. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  /** A piece of the current entry's content; a view of the bytes pushed. */
  data(chunk: Uint8Array): void;
  /** So many zero bytes of the current entry's content (sparse files only). */
  hole(length: number): void;
  /** The current entry's content is complete. */
  entryEnd(): void;
}

/**
 * An incremental tar parser: bytes are pushed in, events come out, synchronously, so that a hundred thousand small
 * entries cost no promise each. Reads ustar, PAX, GNU (long names, base-256 numbers, sparse files) and older forms,
 * and interprets as Go's archive/tar does, whose reading decides what a layer means to other tools.
 */
export class TarParser {
  readonly #handler: TarHandler;
  readonly #limits: Required<{ [K in keyof TarLimits]: number }>;
  /** Takes each complete block or body that was awaited. */
  #next: (bytes: Buffer, at: number) => void;
  #state: 'gathering' | 'data' | 'skipping' | 'ended' = 'gathering';
  #position = 0;

  /** Bytes gathered for a block or a body that comes in pieces. */
  readonly #blockBuffer = Buffer.allocUnsafe(blockSize);
  #gathered = this.#blockBuffer;
  #gatheredLength = 0;
  #needed = blockSize;

  /** Bytes of content, or to skip, still to come. */
  #remaining = 0;
  #padding = 0;
  #current: TarEntry | undefined;
  #expander: SparseExpander | undefined;

  #pax: PaxRecords | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;
  #sawZeroBlock = false;

  constructor(handler: TarHandler, limits: TarLimits = {}) {
    this.#handler = handler;
    this.#limits = {
      paxBytes: limits.paxBytes ?? defaultTarLimits.paxBytes,
      nameBytes: limits.nameBytes ?? defaultTarLimits.nameBytes,
      xattrs: limits.xattrs ?? defaultTarLimits.xattrs,
    };
    this.#next = this.#header;
  }

  /** Bytes behind the end marker are ignored. @throws LadingError INVALID_ARCHIVE */
  push(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'gathering') at = this.#gather(chunk, at);
      else if (this.#state === 'data') at = this.#content(chunk, at);
      else if (this.#state === 'skipping') at = this.#skip(chunk, at);
      else return;
    }
  }

  /**
   * Call at the end of the bytes. A missing end marker is tolerated, as other readers do.
   * @throws LadingError INVALID_ARCHIVE when the archive is cut short
   */
  end(): void {
    if (this.#state === 'ended') return;
    const prelude = this.#pax ?? this.#longName ?? this.#longLink;
    const betweenEntries =
      this.#state === 'gathering' && this.#next === this.#header && this.#gatheredLength === 0 && prelude === undefined;
    if (!betweenEntries && this.#state !== 'skipping') {
      throw invalidArchive('no end: it is cut short', this.#current?.path);
    }
  }

  /** Takes what is awaited from the chunk; a block that lies whole in it is not copied. */
  #gather(chunk: Buffer, at: number): number {
    const missing = this.#needed - this.#gatheredLength;
    const take = Math.min(chunk.length - at, missing);
    this.#position += take;
    if (take === this.#needed) {
      this.#next(chunk, at);
      return at + take;
    }
    chunk.copy(this.#gathered, this.#gatheredLength, at, at + take);
    this.#gatheredLength += take;
    if (take === missing) {
      this.#gatheredLength = 0;
      this.#next(this.#gathered, 0);
    }
    return at + take;
  }

  #content(chunk: Buffer, at: number): number {
    const take = Math.min(chunk.length - at, this.#remaining);
    const piece = take === chunk.length ? chunk : chunk.subarray(at, at + take);
    this.#position += take;
    this.#remaining -= take;
    if (this.#expander === undefined) this.#handler.data(piece);
    else this.#expander.push(piece);
    if (this.#remaining === 0) this.#endEntry();
    return at + take;
  }

  #skip(chunk: Buffer, at: number): number {
    const take = Math.min(chunk.length - at, this.#remaining);
    this.#position += take;
    this.#remaining -= take;
    if (this.#remaining === 0) this.#await(blockSize, this.#header);
    return at + take;
  }

  #await(length: number, next: (bytes: Buffer, at: number) => void): void {
    this.#state = 'gathering';
    this.#next = next;
    this.#needed = length;
    this.#gathered = length === blockSize ? this.#blockBuffer : Buffer.allocUnsafe(length);
    this.#gatheredLength = 0;
  }

  #skipThenHeader(length: number): void {
    if (length === 0) {
      this.#await(blockSize, this.#header);
    } else {
      this.#state = 'skipping';
      this.#remaining = length;
    }
  }

  #header(block: Buffer, at: number): void {
    // Blocks of zeros have a first byte of 0, and so have entries without a name: the checksum tells them apart.
    const sum = headerChecksum(block, at);
    if (block[at] === 0 && sum === 8 * 0x20 && isZero(block, at)) {
      if (this.#sawZeroBlock) this.#state = 'ended';
      this.#sawZeroBlock = true;
      return;
    }
    if (this.#sawZeroBlock) throw invalidArchive('bytes behind a block of zeros that are not its end marker');
    const stored = parseNumber(block, at + fields.checksum[0], fields.checksum[1]);
    if (stored !== sum && stored !== signedHeaderChecksum(block, at)) {
      throw invalidArchive(`a wrong checksum at offset ${this.#position - blockSize}`);
    }
    switch (block[at + fields.type[0]]) {
      case 0x78: // x: PAX records for the next entry
        this.#awaitBody(block, at, this.#limits.paxBytes, 'PAX header', body => {
          this.#pax = parsePaxRecords(body);
        });
        return;
      case 0x67: // g: PAX records for all; ignored like elsewhere, they could give every file another owner or content
        this.#skipThenHeader(paddedSize(this.#metaSize(block, at, Number.MAX_SAFE_INTEGER - blockSize, 'PAX header')));
        return;
      case 0x4c: // L: GNU long name
        this.#awaitBody(block, at, this.#limits.nameBytes + blockSize, 'name', body => {
          this.#longName = untilNul(body);
        });
        return;
      case 0x4b: // K: GNU long link target
        this.#awaitBody(block, at, this.#limits.nameBytes + blockSize, 'link target', body => {
          this.#longLink = untilNul(body);
        });
        return;
      default:
        this.#entry(block, at);
    }
  }

  #metaSize(block: Buffer, at: number, limit: number, what: string): number {
    const size = parseNumber(block, at + fields.size[0], fields.size[1]);
    if (!(size >= 0)) throw invalidArchive(`a ${what} with a malformed size`);
    if (size > limit) throw invalidArchive(`a ${what} of ${size} bytes, more than the ${limit} allowed`);
    return size;
  }

  #awaitBody(block: Buffer, at: number, limit: number, what: string, take: (body: Buffer) => void): void {
    const size = this.#metaSize(block, at, limit, what);
    const done = (bytes: Buffer, start: number): void => {
      take(bytes.subarray(start, start + size));
      this.#await(blockSize, this.#header);
    };
    if (size === 0) done(block, at);
    else this.#await(paddedSize(size), done);
  }

  #entry(block: Buffer, at: number): void {
    const prelude = { pax: this.#pax, longName: this.#longName, longLink: this.#longLink };
    const header = parseTarEntry(block, at, prelude, this.#position, this.#limits);
    this.#pax = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
    this.#current = header.entry;
    if (header.sparseFormat === 'none') this.#startEntry(header.entry, header.storedSize);
    else this.#readSparseMap(block, at, header, prelude.pax);
  }

  #readSparseMap(block: Buffer, at: number, header: ParsedHeader, pax: PaxRecords | undefined): void {
    const { entry, storedSize } = header;
    if (header.sparseFormat === 'old') {
      const regions: SparseRegion[] = [];
      const more = (bytes: Buffer, start: number, count: number): void => {
        if (readOldSparseSlots(bytes, start, count, regions, entry.path)) {
          this.#await(blockSize, (next, nextAt) => more(next, nextAt, 21));
        } else {
          this.#startSparse(entry, storedSize, storedSize, regions);
        }
      };
      more(block, at + 386, 4);
    } else if (header.sparseFormat === 'pax-records') {
      this.#startSparse(entry, storedSize, storedSize, parsePaxSparseMap(pax!, entry.path));
    } else {
      const reader = new SparseMapReader(entry.path);
      let left = storedSize;
      const awaitMap = (): void => {
        left -= blockSize;
        if (left < 0) throw invalidArchive('a malformed sparse map', entry.path);
        this.#await(blockSize, (next, nextAt) => {
          const regions = reader.push(next.subarray(nextAt, nextAt + blockSize));
          if (regions === undefined) awaitMap();
          else this.#startSparse(entry, left, storedSize, regions);
        });
      };
      awaitMap();
    }
  }

  #startSparse(entry: TarEntry, dataSize: number, storedSize: number, regions: readonly SparseRegion[]): void {
    checkSparseMap(regions, entry.size, dataSize, entry.path);
    this.#expander = new SparseExpander(
      regions,
      entry.size,
      chunk => this.#handler.data(chunk),
      length => this.#handler.hole(length),
    );
    this.#startEntry({ ...entry, dataOffset: this.#position }, dataSize, storedSize);
  }

  #startEntry(entry: TarEntry, dataSize: number, storedSize = dataSize): void {
    this.#handler.entry(entry);
    this.#padding = paddedSize(storedSize) - storedSize;
    if (dataSize === 0) {
      this.#endEntry();
    } else {
      this.#state = 'data';
      this.#remaining = dataSize;
    }
  }

  #endEntry(): void {
    this.#expander?.end();
    this.#expander = undefined;
    this.#current = undefined;
    this.#handler.entryEnd();
    this.#skipThenHeader(this.#padding);
  }
}

function isZero(block: Buffer, at: number): boolean {
  for (let i = at; i < at + blockSize; i++) if (block[i] !== 0) return false;
  return true;
}

function untilNul(body: Buffer): string {
  const nul = body.indexOf(0);
  return decodePath(nul < 0 ? body : body.subarray(0, nul));
}
