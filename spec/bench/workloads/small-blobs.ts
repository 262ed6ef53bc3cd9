import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { RegistryServer } from '../../../src/testing/registry-server.js';
import { compare } from '../compare.js';
import { lading } from '../peers/lading.js';
import type { Comparison } from '../section.js';
import type { Workbench } from '../workbench.js';
import type { Workload } from './workload.js';

const count = 200;
const latencyMs = 20;
const everything = Number.POSITIVE_INFINITY;

/** Each request takes its time on the way, as to a registry that is far away: what counts is how many wait at once. */
export const smallBlobs: Workload = {
  name: 'small-blobs',
  summary: `${count} small blobs from and to a registry ${latencyMs} ms away, beside eight bare connections`,
  run: async bench => {
    const server = await RegistryServer.start({ mounts: false });
    try {
      server.inject({ times: everything }, { kind: 'delay', ms: latencyMs });
      const digests = fill(server);
      const script = bench.path('eight-connections.mjs');
      await writeFile(script, eightConnections);
      return [await pulling(bench, server, script), await pushing(bench, server, script, digests)];
    } finally {
      await server.stop();
    }
  },
};

async function pulling(bench: Workbench, server: RegistryServer, script: string): Promise<Comparison> {
  const store = bench.path('small-store');
  const [ours, ideal] = ['lading pull', 'eight connections that only read'];
  return await compare(bench, {
    name: 'small-blobs-pull',
    title: `Pull of ${count} small blobs, ${latencyMs} ms away`,
    contenders: [
      {
        name: ours,
        argv: lading('pull', '-q', '--root', store, `${server.host}/small:1`),
        before: () => bench.remove(store),
      },
      { name: ideal, argv: [process.execPath, script, 'pull', `http://${server.host}/v2/small`] },
    ],
    limits: [{ kind: 'time', contender: ours, of: [ideal], most: 1.3 }],
  });
}

async function pushing(
  bench: Workbench,
  server: RegistryServer,
  script: string,
  digests: readonly string[],
): Promise<Comparison> {
  const store = bench.path('small-store');
  const [ours, ideal] = ['lading push', 'eight connections that only write'];
  const before = async (): Promise<void> => {
    for (const digest of digests) server.content.deleteBlob('pushed', digest);
    const manifest = server.content.manifest('pushed', '1');
    if (manifest !== undefined) server.content.deleteManifest('pushed', manifest.digest);
  };
  const section = await compare(bench, {
    name: 'small-blobs-push',
    title: `Push of ${count} small blobs, ${latencyMs} ms away`,
    contenders: [
      {
        name: ours,
        argv: lading('push', '-q', '--root', store, `${server.host}/small:1`, `${server.host}/pushed:1`),
        before,
      },
      {
        name: ideal,
        argv: [process.execPath, script, 'push', `http://${server.host}/v2/pushed`, `http://${server.host}/v2/small`],
        before,
      },
    ],
    limits: [{ kind: 'time', contender: ours, of: [ideal], most: 1.3 }],
  });
  await bench.remove(store);
  return section;
}

/** An artifact of many small blobs; nothing in it is a layer, so that nothing is measured but the transfers. */
function fill({ content }: RegistryServer): string[] {
  const put = (text: string, mediaType: string) => {
    const bytes = Buffer.from(text);
    return { mediaType, digest: content.putBlob('small', bytes), size: bytes.length };
  };
  const layers = Array.from({ length: count }, (_, i) =>
    put(createHash('sha256').update(String(i)).digest('hex').repeat(40), 'application/octet-stream'),
  );
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const config = put('{}', 'application/vnd.oci.empty.v1+json');
  const artifactType = 'application/vnd.example';
  const manifest = { schemaVersion: 2, mediaType, artifactType, config, layers };
  content.putManifest('small', '1', mediaType, Buffer.from(JSON.stringify(manifest)));
  return [config, ...layers].map(({ digest }) => digest);
}

/** What cannot be done with fewer requests, over eight connections, without a look at any byte. */
const eightConnections = `
import { Agent, request } from 'node:http';
const [what, base, source] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const send = (method, url, body) => new Promise((resolve, reject) => {
  const sent = request(url, { method, agent, headers: body ? { 'content-length': body.length } : {} }, answer => {
    const chunks = [];
    answer.on('data', chunk => chunks.push(chunk)).on('error', reject);
    answer.on('end', () => resolve({ location: answer.headers.location, body: Buffer.concat(chunks) }));
  });
  sent.on('error', reject).end(body);
});
const manifest = (await send('GET', \`\${source ?? base}/manifests/1\`)).body;
const { config, layers } = JSON.parse(manifest);
const all = [config, ...layers];
if (what === 'pull') await Promise.all(all.map(({ digest }) => send('GET', \`\${base}/blobs/\${digest}\`)));
else {
  const bytes = Buffer.alloc(64 * 40);
  await Promise.all(all.map(async ({ digest }) => {
    await send('HEAD', \`\${base}/blobs/\${digest}\`);
    const { location } = await send('POST', \`\${base}/blobs/uploads/\`, Buffer.alloc(0));
    await send('PUT', \`\${location}&digest=sha256:\${'0'.repeat(64)}\`, bytes);
  }));
  await send('HEAD', \`\${base}/manifests/1\`);
}
agent.destroy();
`;
