import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { hostPlatform } from '../../src/oci/platform.js';
import { findEmulator } from '../../src/sandbox/find-emulator.js';
import { foreignSupport, withForeignPrograms } from '../../src/sandbox/foreign-programs.js';
import { refusingSandbox } from '../../src/sandbox/sandbox.js';
import { tempDir } from '../support/temp-dir.js';

const host = hostPlatform('x64');
const of = (architecture: string) => ({ os: 'linux', architecture });

describe('programs of other platforms', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await tempDir();
  });
  const register = (name: string, text: string) => writeFile(join(folder, name), text);

  it('need nothing where the processor is the same, or executes them, too', async () => {
    for (const architecture of ['amd64', '386']) {
      expect(await foreignSupport(of(architecture), host, folder)).toEqual({ works: true });
    }
  });

  it('cannot be executed without an emulator, nor with that of another processor', async () => {
    await register('status', 'enabled\n');
    await register('qemu-arm', 'enabled\ninterpreter /usr/bin/qemu-arm-static\nflags: OCF\n');
    await register('qemu-aarch64', 'disabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: OCF\n');
    for (const platform of [of('arm64'), of('wasm'), { os: 'windows', architecture: 'amd64' }]) {
      expect(await foreignSupport(platform, host, folder)).toMatchObject({ works: false });
    }
    expect(await foreignSupport(of('arm64'), host, join(folder, 'nothing'))).toMatchObject({ works: false });
  });

  it('are executed by what the kernel has opened, or by what is shown in the root', async () => {
    await register('qemu-aarch64', 'enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: OCF\noffset 0\n');
    await register('qemu-s390x', 'enabled\ninterpreter /usr/bin/qemu-s390x\nflags: \noffset 0\n');
    expect(await foreignSupport(of('arm64'), host, folder)).toEqual({ works: true, interpreter: undefined });
    expect(await foreignSupport(of('s390x'), host, folder)).toEqual({
      works: true,
      interpreter: '/usr/bin/qemu-s390x',
    });
  });

  it('are executed by an emulator in PATH that needs no libraries, under either name', async () => {
    const program = async (name: string, loader?: string): Promise<string> => {
      const path = join(folder, name);
      await writeFile(path, elfProgram(loader), { mode: 0o755 });
      return path;
    };
    const preferred = await program('qemu-aarch64-static');
    const other = await program('qemu-aarch64');
    expect(await findEmulator(of('arm64'), folder)).toMatchObject({ path: preferred });
    await program('qemu-aarch64-static', '/lib64/ld-linux-x86-64.so.2');
    expect(await findEmulator(of('arm64'), folder)).toMatchObject({ path: other });
    await program('qemu-aarch64', '/lib64/ld-linux-x86-64.so.2');
    expect(await findEmulator(of('arm64'), folder)).toBeUndefined();
    expect(await findEmulator(of('wasm'), folder)).toBeUndefined();
  });

  it('are refused before anything is built, at the line', async () => {
    const inner = { ...refusingSandbox('never'), check: async () => {} };
    const start = { line: 7, column: 1 };
    const range = { file: 'Dockerfile', start, end: start };
    const checked = withForeignPrograms(inner, host).check({ title: 'RUN true', range, platform: of('loong64') });
    await expect(checked).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE', details: { range } });
  });
});

/** A head of ELF with a segment, which names a loader or is none that is known. */
function elfProgram(loader?: string): Buffer {
  const name = Buffer.from(`${loader ?? ''}\0`);
  const file = Buffer.alloc(64 + 56 + name.length);
  file.write('\x7fELF\x02\x01\x01', 'latin1');
  file.writeUInt16LE(2, 16);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(loader === undefined ? 1 : 3, 64);
  file.writeBigUInt64LE(120n, 72);
  file.writeBigUInt64LE(BigInt(name.length), 96);
  name.copy(file, 120);
  return file;
}
