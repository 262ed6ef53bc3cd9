import { createHash } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compare } from '../compare.js';
import { digestOfZeros, EndlessRegistry } from '../endless-registry.js';
import { lading } from '../peers/lading.js';
import type { Workload } from './workload.js';

const [pulled, pushed, copied] = ['lading pull', 'lading copy oci: docker://', 'lading copy docker:// docker://'];

export const hugeBlob: Workload = {
  name: 'huge-blob',
  summary: 'the memory that a blob of 10 GiB takes on its way',
  onDemand: true,
  run: async bench => {
    const size = bench.scale(10, 0.5) * 1024 ** 3;
    bench.tell('hashing zeros');
    const { manifest, digest } = manifestOfZeros(size);
    const registry = await EndlessRegistry.start(manifest, size);
    const [store, layout] = [bench.path('huge-store'), bench.path('huge-layout')];
    try {
      await writeLayout(layout, manifest, digest, size);
      const target = `docker://${registry.host}/target/blob:1`;
      const section = await compare(bench, {
        name: 'huge-blob',
        title: `One blob of ${size / 1024 ** 3} GiB`,
        contenders: [
          {
            name: pulled,
            argv: lading('pull', '-q', '--root', store, `${registry.host}/source/blob:1`),
            before: () => bench.remove(store),
          },
          { name: pushed, argv: lading('copy', '-q', '--root', store, `oci:${layout}:1`, target) },
          {
            name: copied,
            argv: lading('copy', '-q', '--root', store, `docker://${registry.host}/source/blob:1`, target),
          },
        ],
        limits: [pulled, pushed, copied].map(contender => ({ kind: 'memory', contender, mostMiB: 200 }) as const),
      });
      await bench.remove(store, layout);
      return [section];
    } finally {
      await registry.stop();
    }
  },
};

function manifestOfZeros(size: number): { readonly manifest: Buffer; readonly digest: string } {
  const digest = digestOfZeros(size);
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: sha256(Buffer.from('{}')), size: 2 };
  const layers = [{ mediaType: 'application/octet-stream', digest, size }];
  const document = { schemaVersion: 2, mediaType, artifactType: 'application/vnd.example', config: empty, layers };
  return { manifest: Buffer.from(JSON.stringify(document)), digest };
}

/** An image layout whose blob is a hole in a file. */
async function writeLayout(folder: string, manifest: Buffer, digest: string, size: number): Promise<void> {
  const blobs = join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const put = (bytes: Buffer): Promise<void> => writeFile(join(blobs, sha256(bytes).slice(7)), bytes);
  await put(manifest);
  await put(Buffer.from('{}'));
  const file = await open(join(blobs, digest.slice(7)), 'w');
  await file.truncate(size);
  await file.close();
  const entry = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: sha256(manifest),
    size: manifest.length,
    annotations: { 'org.opencontainers.image.ref.name': '1' },
  };
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
