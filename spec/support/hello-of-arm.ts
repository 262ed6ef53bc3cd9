/** A program for arm64 that writes `arm 64` and a line's end, and nothing else. */
export function helloOfArm(): Buffer {
  const code = [0xd2800020, 0x100000e1, 0xd28000e2, 0xd2800808, 0xd4000001, 0xd2800000, 0xd2800ba8, 0xd4000001];
  const file = Buffer.alloc(0x78 + 4 * code.length + 7);
  file.write('\x7fELF\x02\x01\x01', 'latin1');
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(183, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(0x400078n, 24);
  file.writeBigUInt64LE(64n, 32);
  for (const [at, value] of [
    [52, 64],
    [54, 56],
    [56, 1],
  ] as const)
    file.writeUInt16LE(value, at);
  file.writeUInt32LE(1, 64);
  file.writeUInt32LE(5, 68);
  file.writeBigUInt64LE(0x400000n, 80);
  file.writeBigUInt64LE(0x400000n, 88);
  for (const at of [96, 104]) file.writeBigUInt64LE(BigInt(file.length), at);
  file.writeBigUInt64LE(0x1000n, 112);
  for (const [i, word] of code.entries()) file.writeUInt32LE(word, 0x78 + 4 * i);
  file.write('arm 64\n', 0x78 + 4 * code.length);
  return file;
}
