import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Platform } from '../oci/platform.js';
import { type RunRequest, refusingSandbox, type Sandbox } from './sandbox.js';

/** How programs of a platform are executed on this machine. */
export type ForeignSupport =
  | {
      readonly works: true;
      /** What the kernel starts for them, when it has to be in the root for that. */
      readonly interpreter?: string | undefined;
    }
  | { readonly works: false; readonly missing: string; readonly remedy: string };

/** Architectures of OCI as QEMU has them. */
const emulated: Readonly<Record<string, string>> = {
  ...{ '386': 'i386', amd64: 'x86_64', arm: 'arm', arm64: 'aarch64', loong64: 'loongarch64', mips64le: 'mips64el' },
  ...{ ppc64le: 'ppc64le', riscv64: 'riscv64', s390x: 's390x' },
};

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
  const name = emulated[architecture];
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
    remedy: 'install qemu-user-static, which registers itself with the kernel',
  };
}

/** A sandbox that executes programs of other platforms where the kernel can, and says beforehand where it cannot. */
export function withForeignPrograms(sandbox: Sandbox, host: Platform): Sandbox {
  return {
    ...sandbox,
    check: async instruction => {
      await sandbox.check(instruction);
      const support = await foreignSupport(instruction.platform ?? host, host);
      if (!support.works) await refusingSandbox(support.missing, support.remedy).check(instruction);
    },
    run: async request => await sandbox.run(await withInterpreter(request, host)),
  };
}

async function withInterpreter(request: RunRequest, host: Platform): Promise<RunRequest> {
  const support = await foreignSupport(request.platform ?? host, host);
  if (!support.works || support.interpreter === undefined) return request;
  const { interpreter } = support;
  const mount = { type: 'bind', source: interpreter, target: interpreter, readOnly: true } as const;
  return { ...request, mounts: [mount, ...request.mounts] };
}
