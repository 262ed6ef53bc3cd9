import { open, readFile } from 'node:fs/promises';
import { release } from 'node:os';
import type { Platform } from '../oci/platform.js';
import { readElf } from './elf.js';
import { findHostProgram } from './host-program.js';
import type { Emulator } from './sandbox.js';

/** What the head of a program says of whom it is for: 32 or 64 bits, the order of bytes, and the number of the machine. */
interface Machine {
  readonly qemu: string;
  readonly bits: 32 | 64;
  readonly order: 'little' | 'big';
  readonly number: number;
}

const machines: Readonly<Record<string, Machine>> = {
  '386': { qemu: 'i386', bits: 32, order: 'little', number: 3 },
  amd64: { qemu: 'x86_64', bits: 64, order: 'little', number: 62 },
  arm: { qemu: 'arm', bits: 32, order: 'little', number: 40 },
  arm64: { qemu: 'aarch64', bits: 64, order: 'little', number: 183 },
  loong64: { qemu: 'loongarch64', bits: 64, order: 'little', number: 258 },
  mips64le: { qemu: 'mips64el', bits: 64, order: 'little', number: 8 },
  ppc64le: { qemu: 'ppc64le', bits: 64, order: 'little', number: 21 },
  riscv64: { qemu: 'riscv64', bits: 64, order: 'little', number: 243 },
  s390x: { qemu: 's390x', bits: 64, order: 'big', number: 22 },
};

/** Of a program, with all that says how it is loaded. */
const headBytes = 4096;

/** What QEMU calls an architecture of OCI. */
export function qemuName(architecture: string): string | undefined {
  return machines[architecture]?.qemu;
}

/** The emulator for a platform that is installed here: one that needs no libraries, under either name that it may have. */
export async function findEmulator({ architecture }: Platform, searchPath: string): Promise<Emulator | undefined> {
  const machine = machines[architecture];
  if (machine === undefined) return undefined;
  for (const name of [`qemu-${machine.qemu}-static`, `qemu-${machine.qemu}`]) {
    const path = findHostProgram(name, searchPath);
    if (path === undefined || !(await needsNoLibraries(path))) continue;
    return { path, pattern: `:lading-${machine.qemu}:M::${escaped(magic(machine))}:${escaped(mask(machine))}:` };
  }
  return undefined;
}

async function needsNoLibraries(path: string): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const elf = readElf(buffer.subarray(0, bytesRead));
    return elf !== undefined && elf.interpreter === undefined;
  } finally {
    await file.close();
  }
}

/** Whether a user namespace may have registrations of its own (binfmt_misc), which came with Linux 6.7. */
export async function hasOwnRegistrations(): Promise<boolean> {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 7)) return false;
  return /\tbinfmt_misc$/m.test(await readFile('/proc/filesystems', 'latin1').catch(() => ''));
}

/** The first bytes of a program: a head of ELF, with the kind (a program, or one that can be loaded anywhere) and machine. */
function magic({ bits, order, number }: Machine): Buffer {
  const head = Buffer.alloc(20);
  head.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, order === 'little' ? 1 : 2, 1]);
  if (order === 'little') {
    head.writeUInt16LE(2, 16);
    head.writeUInt16LE(number, 18);
  } else {
    head.writeUInt16BE(2, 16);
    head.writeUInt16BE(number, 18);
  }
  return head;
}

/** Which system it is for does not matter, nor which of the two kinds. */
function mask({ order }: Machine): Buffer {
  const bits = Buffer.alloc(20, 0xff);
  bits.fill(0, 7, 16);
  bits[order === 'little' ? 16 : 17] = 0xfe;
  return bits;
}

function escaped(bytes: Buffer): string {
  return [...bytes].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}
