import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.js';
import { describeWith, patience, runProgram } from '../support/programs.js';
import { type Lading, ladingBin, openLading } from './lading.js';

const size = 150_000_000;

describeWith(['docker-registry', 'skopeo'], 'transfers that are killed, with the registry of Docker', () => {
  let work: string;
  let registry: DockerRegistry;
  let origin: Lading;
  let name: string;
  let digest: string;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'lading-resume-'));
    registry = await startDockerRegistry();
    origin = await openLading();
    await mkdir(join(work, 'app'));
    await writeFile(join(work, 'app', 'data'), randomBytes(size));
    await writeFile(join(work, 'app', 'Dockerfile'), 'FROM scratch\nCOPY data /\n');
    name = `${registry.host}/app/one:1`;
    digest = await origin.build(['--compression', 'none', '--tag', name, join(work, 'app')]);
  }, patience);

  afterAll(async () => {
    await registry?.stop();
    await origin?.remove();
    if (work) await rm(work, { recursive: true, force: true });
  });

  it(
    'a push begins anew where the registry forgets what was cut off, and is whole in the end',
    async () => {
      for (const share of [0.1, 0.5, 0.8]) {
        await killAt(origin, ['push', name], share * size, () => largest(registry.data, 'data'));
      }
      const { stdout } = await origin.run(['push', name]);
      expect(stdout.trim()).toBe(`${name}@${digest}`);
      expect(await remoteDigest()).toBe(digest);
    },
    patience,
  );

  it(
    'a pull goes on behind what had arrived',
    async () => {
      const other = await openLading();
      try {
        let before = 0;
        for (const share of [0.1, 0.3, 0.6, 0.8]) {
          await killAt(other, ['pull', name], share * size, () => largest(join(other.root, 'transfers'), 'blob-'));
          const left = await largest(join(other.root, 'transfers'), 'blob-');
          expect(left).toBeGreaterThanOrEqual(before);
          before = left;
        }
        expect(before).toBeGreaterThan(0.1 * size);
        const { stdout, stderr } = await other.run(['pull', name]);
        expect(stdout.trim()).toBe(`${name}@${digest}`);
        expect(stderr).toContain(`going on behind ${before} bytes`);
        await other.run(['fsck']);
        await other.run(['inspect', '--verify', name]);
      } finally {
        await other.remove();
      }
    },
    patience,
  );

  async function remoteDigest(): Promise<string> {
    const args = ['inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${name}`];
    return (await runProgram('skopeo', args)).stdout.trim();
  }
});

/** Runs the command, and kills it as soon as `progress` has come so far. */
async function killAt(
  lading: Lading,
  args: readonly string[],
  bytes: number,
  progress: () => Promise<number>,
): Promise<void> {
  const env = { ...process.env, LADING_ROOT: lading.root };
  const child: ChildProcess = spawn(process.execPath, [ladingBin, ...args], { env, stdio: 'ignore' });
  let over = false;
  const ended = new Promise<void>(resolve =>
    child.once('exit', () => {
      over = true;
      resolve();
    }),
  );
  while (!over && (await progress()) < bytes) await sleep(2);
  child.kill('SIGKILL');
  await ended;
}

/** The size of the largest file below a folder whose name begins so. */
async function largest(folder: string, prefix: string): Promise<number> {
  let most = 0;
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  for (const file of names.filter(each => each.split('/').at(-1)!.startsWith(prefix))) {
    if (file.endsWith('.lock') || file.includes('/blobs/')) continue;
    most = Math.max(
      most,
      await stat(join(folder, file)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  }
  return most;
}
