/**
 * A program that runs one process in a sandbox: for tests that need another user than their own, or another container. It
 * reads a request as JSON from standard input, and writes what came of it as JSON.
 */
import { text } from 'node:stream/consumers';
import { chrootSandbox } from '../../src/sandbox/chroot-sandbox.js';
import { prootSandbox } from '../../src/sandbox/proot-sandbox.js';
import type { FileOwner, RunRequest, RunResult } from '../../src/sandbox/sandbox.js';

export interface SandboxedRun {
  readonly kind: 'proot' | 'chroot';
  readonly scratch: string;
  readonly request: Omit<RunRequest, 'onOutput' | 'signal' | 'ownerBefore'>;
  readonly before?: Readonly<Record<string, FileOwner>> | undefined;
}

export interface SandboxedResult extends Omit<RunResult, 'owners'> {
  readonly stdout: string;
  readonly stderr: string;
  readonly owners: Readonly<Record<string, string>>;
}

const { kind, scratch, request, before } = JSON.parse(await text(process.stdin)) as SandboxedRun;
const create = kind === 'proot' ? prootSandbox : chrootSandbox;
const sandbox = create({ scratch, searchPath: process.env['PATH'] ?? '', uid: process.getuid!() });
const written = { stdout: '', stderr: '' };
const { owners = new Map<string, FileOwner>(), ...result } = await sandbox.run({
  ...request,
  onOutput: (stream, chunk) => {
    written[stream] += String(Buffer.from(chunk));
  },
  ownerBefore: before && (path => before[path]),
});
const shown = [...owners].sort().map(([path, { uid, gid }]) => [path, `${uid}:${gid}`]);
process.stdout.write(JSON.stringify({ ...result, ...written, owners: Object.fromEntries(shown) }));
