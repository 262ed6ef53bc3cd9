/** What the header of an ELF file says, as far as starting it in another root asks for it. Numbers are little-endian. */
export interface ElfFile {
  readonly bits: 32 | 64;
  /** The program that loads it, for programs with shared libraries. */
  readonly interpreter?: string | undefined;
}

const magic = Buffer.from('\x7fELF', 'latin1');

/** @returns nothing for a file that is no ELF file of a known form */
export function readElf(file: Buffer): ElfFile | undefined {
  const bits = classOf(file);
  if (bits === undefined) return undefined;
  const [at, size, count] =
    bits === 64
      ? [Number(file.readBigUInt64LE(32)), file.readUInt16LE(54), file.readUInt16LE(56)]
      : [file.readUInt32LE(28), file.readUInt16LE(42), file.readUInt16LE(44)];
  for (let place = at; place < at + size * count && place + size <= file.length; place += size) {
    if (file.readUInt32LE(place) !== 3) continue;
    const [offset, length] =
      bits === 64
        ? [Number(file.readBigUInt64LE(place + 8)), Number(file.readBigUInt64LE(place + 32))]
        : [file.readUInt32LE(place + 4), file.readUInt32LE(place + 16)];
    return { bits, interpreter: file.toString('latin1', offset, offset + length).replace(/\0.*$/s, '') };
  }
  return { bits };
}

/** Programs that another carries in it as data, in their order. */
export function embeddedPrograms(file: Buffer): ReadonlyArray<{ readonly bits: 32 | 64; readonly bytes: Buffer }> {
  const found = [];
  for (let at = file.indexOf(magic, 1); at > 0; at = file.indexOf(magic, at + magic.length)) {
    const image = file.subarray(at);
    const bits = classOf(image);
    // What has a header that is whole, and says of itself that it is a program that is loaded where it stands.
    if (bits === undefined || image.readUInt16LE(16) !== 2 || image.readUInt16LE(18) === 0) continue;
    const [sections, size, count] =
      bits === 64
        ? [Number(image.readBigUInt64LE(40)), image.readUInt16LE(58), image.readUInt16LE(60)]
        : [image.readUInt32LE(32), image.readUInt16LE(46), image.readUInt16LE(48)];
    const length = sections + size * count;
    if (sections >= 52 && length <= image.length) found.push({ bits, bytes: image.subarray(0, length) });
  }
  return found;
}

function classOf(file: Buffer): 32 | 64 | undefined {
  if (file.length < 64 || !file.subarray(0, 4).equals(magic) || file[5] !== 1 || file[6] !== 1) return undefined;
  return file[4] === 2 ? 64 : file[4] === 1 ? 32 : undefined;
}
