import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.js';
import { describeWith, patience, runProgram } from '../support/programs.js';
import { writeBusyboxContext } from './busybox-image.js';
import { type Lading, openLading } from './lading.js';

const transports = ['docker', 'oci', 'oci-archive', 'docker-archive'] as const;
type Transport = (typeof transports)[number];
const pairs = transports.flatMap(from => transports.map(to => ({ from, to })));

describeWith(['docker-registry', 'skopeo', 'busybox'], 'copies between places', () => {
  let work: string;
  let registry: DockerRegistry;
  let lading: Lading;
  let digest: string;
  let config: string;
  let diffIds: readonly string[];

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'lading-copy-'));
    registry = await startDockerRegistry();
    lading = await openLading();
    await writeBusyboxContext(join(work, 'context'));
    const name = `${registry.host}/origin/small:1`;
    digest = await lading.build(['--tag', name, join(work, 'context')]);
    await lading.run(['push', name]);
    const raw = await skopeo('inspect', '--raw', `docker://${name}`);
    config = JSON.parse(raw).config.digest;
    diffIds = JSON.parse(await skopeo('inspect', '--config', `docker://${name}`)).rootfs.diff_ids;
    for (const to of transports) await lading.run(['copy', `docker://${name}`, place(to, 'origin')]);
  }, patience);

  afterAll(async () => {
    await registry?.stop();
    await lading?.remove();
    if (work) await rm(work, { recursive: true, force: true });
  });

  it.each(pairs)('from $from to $to: the same image', async ({ from, to }) => {
    const target = place(to, `from-${from}`);
    await lading.run(['copy', place(from, 'origin'), target]);
    const described = JSON.parse(await skopeo('inspect', target));
    expect(described).toMatchObject({ Architecture: 'amd64', Os: 'linux', Labels: { kind: 'small' } });
    if (to === 'docker-archive') {
      // The format has no manifest of its own: what it keeps is the config and the layers.
      expect(JSON.parse(await skopeo('inspect', '--raw', target)).config.digest).toBe(config);
      expect(described.Layers).toEqual(diffIds);
    } else {
      expect(described.Digest).toBe(digest);
    }
  });

  it.each(pairs)('from $from to $to and back into the store: nothing is lost', async ({ from, to }) => {
    const name = `${registry.host}/back/${from}-${to}:1`;
    await lading.run(['copy', place(to, `from-${from}`), `docker://${name}`]);
    await lading.run(['pull', name]);
    await lading.run(['inspect', '--verify', name]);
    const { stdout } = await runProgram('skopeo', ['inspect', '--config', '--raw', `oci:${lading.root}:${name}`]);
    expect(JSON.parse(stdout).rootfs.diff_ids).toEqual(diffIds);
    expect(await skopeo('inspect', '--format', '{{.Digest}}', `docker://${name}`)).toBe(`${digest}\n`);
  });

  it.each(transports)('reads what skopeo wrote to %s', async to => {
    const target = place(to, 'by-skopeo');
    const options = ['--quiet', '--src-tls-verify=false', '--dest-tls-verify=false'];
    const from = `docker://${registry.host}/origin/small:1`;
    await runProgram('skopeo', ['--insecure-policy', 'copy', ...options, from, target]);
    const name = `${registry.host}/read/${to}:1`;
    await lading.run(['copy', target, `docker://${name}`]);
    expect(JSON.parse(await skopeo('inspect', '--config', `docker://${name}`)).rootfs.diff_ids).toEqual(diffIds);
  });

  function place(transport: Transport, id: string): string {
    if (transport === 'docker') return `docker://${registry.host}/copies/${id}:1`;
    const path = join(work, `${transport}-${id}`);
    if (transport === 'docker-archive') return `docker-archive:${path}.tar:example.test/copies/${id}:1`;
    return transport === 'oci' ? `oci:${path}:1` : `oci-archive:${path}.tar:1`;
  }

  async function skopeo(command: string, ...args: readonly string[]): Promise<string> {
    const options = args.at(-1)!.startsWith('docker://') ? ['--tls-verify=false'] : [];
    return (await runProgram('skopeo', [command, ...options, ...args])).stdout;
  }
});
