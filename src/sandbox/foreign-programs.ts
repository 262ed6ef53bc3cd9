import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Platform } from '../oci/platform.js';
import { findEmulator, hasOwnRegistrations, qemuName } from './find-emulator.js';
import { type Emulator, refusingSandbox, type Sandbox } from './sandbox.js';

/** How programs of a platform are executed on this machine. */
export type ForeignSupport =
  | {
      readonly works: true;
      /** What the kernel starts for them, when it has to be in the root for that. */
      readonly interpreter?: string | undefined;
    }
  | { readonly works: false; readonly missing: string; readonly remedy: string };

/** What processors execute beside their own, at least most of them. */
const also: Readonly<Record<string, string>> = { amd64: '386', arm64: 'arm' };

/** @param registrations where the kernel shows who executes what (binfmt_misc) */
export async function foreignSupport(
  platform: Platform,
  host: Platform,
  registrations = '/proc/sys/fs/binfmt_misc',
): Promise<ForeignSupport> {
  const { os, architecture } = platform;
  if (os !== 'linux') {
    return { works: false, missing: `programs of ${os} cannot be executed here`, remedy: 'build without RUN' };
  }
  if (architecture === host.architecture || architecture === also[host.architecture]) return { works: true };
  const name = qemuName(architecture);
  const program = name === undefined ? undefined : new RegExp(`/(?:qemu-)?${name}(?:-static|-binfmt-P)?$`);
  for (const entry of await readdir(registrations).catch(() => [])) {
    const text = await readFile(join(registrations, entry), 'latin1').catch(() => '');
    const interpreter = /^interpreter (.*)$/m.exec(text)?.[1];
    if (!text.startsWith('enabled') || interpreter === undefined || !program?.test(interpreter)) continue;
    // With F the kernel has opened it already, else it is looked for in the root of each process.
    const opened = /^flags: .*F/m.test(text);
    return { works: true, interpreter: opened ? undefined : interpreter };
  }
  return {
    works: false,
    missing: `programs of linux/${architecture} cannot be executed on this machine (linux/${host.architecture})`,
    remedy:
      'install qemu-user-static; where it is installed, have it registered with the kernel, or use another sandbox',
  };
}

/**
 * A sandbox that executes programs of other platforms where the kernel can, or with an emulator for a run of its own, and says
 * beforehand where neither is so.
 * @param searchPath where emulators are looked for
 */
export function withForeignPrograms(sandbox: Sandbox, host: Platform, searchPath = ''): Sandbox {
  const emulator = async (platform: Platform): Promise<Emulator | undefined> => {
    const { emulation } = sandbox;
    const possible = emulation === 'registered' ? await hasOwnRegistrations() : emulation === 'started';
    return possible ? await findEmulator(platform, searchPath) : undefined;
  };
  return {
    ...sandbox,
    check: async instruction => {
      await sandbox.check(instruction);
      const platform = instruction.platform ?? host;
      const support = await foreignSupport(platform, host);
      if (support.works || (await emulator(platform)) !== undefined) return;
      await refusingSandbox(support.missing, support.remedy).check(instruction);
    },
    run: async request => {
      const platform = request.platform ?? host;
      const support = await foreignSupport(platform, host);
      if (!support.works) return await sandbox.run({ ...request, emulator: await emulator(platform) });
      const { interpreter } = support;
      if (interpreter === undefined) return await sandbox.run(request);
      const mount = { type: 'bind', source: interpreter, target: interpreter, readOnly: true } as const;
      return await sandbox.run({ ...request, mounts: [mount, ...request.mounts] });
    },
  };
}
