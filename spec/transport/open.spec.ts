import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Location } from '../../src/transport/location.js';
import { type Endpoint, type OpenLocationOptions, openLocation } from '../../src/transport/open.js';
import { copied } from '../support/copied.js';
import { MemoryContent } from '../support/memory-content.js';
import { tempDir } from '../support/temp-dir.js';
import { codeOf, startRegistry } from './registry/connected.js';
import { putImage, sampleImage } from './sample-image.js';

const user = { username: 'user', password: 'correct horse' } as const;

async function open(location: Location, options: OpenLocationOptions): Promise<Endpoint> {
  const endpoint = await openLocation(location, options);
  onTestFinished(() => endpoint.abort());
  return endpoint;
}

describe('openLocation', () => {
  it('means by the store what the caller means', async () => {
    const store = new MemoryContent();
    const image = await sampleImage();
    const location = { transport: 'store', name: 'docker.io/library/app:1' } as const;
    const endpoint = await open(location, { access: 'write', store });
    await putImage(endpoint, image, endpoint.name);
    expect((await store.resolve(location.name)).digest).toBe(image.manifest.descriptor.digest);
    expect(await codeOf(openLocation(location, { access: 'read' }))).toBe('USAGE');
  });

  it('logs in at registries with what docker login left, and tells of helpers that fail', async () => {
    const folder = await tempDir();
    const server = await startRegistry({ auth: { kind: 'token', ...user, anonymousPull: true } });
    const script = `#!/bin/sh\necho '{"Username":"${user.username}","Secret":"${user.password}"}'\n`;
    await writeFile(join(folder, 'docker-credential-good'), script);
    await chmod(join(folder, 'docker-credential-good'), 0o755);
    const authFile = join(folder, 'config.json');
    await writeFile(authFile, JSON.stringify({ credHelpers: { [server.host]: 'good' } }));
    const reference = { registry: server.host, repository: 'app/one', tag: '1' };
    const helperPath = `${folder}:/usr/bin:/bin`;
    const location = { transport: 'registry', reference } as const;
    const image = await sampleImage();
    const writer = await open(location, { access: 'write', registry: { authFile, helperPath } });
    await putImage(writer, image, writer.name);

    await writeFile(authFile, JSON.stringify({ credHelpers: { [server.host]: 'missing' } }));
    const warnings: string[] = [];
    const registry = { authFile, helperPath, onWarning: (text: string) => warnings.push(text) };
    const reader = await open(location, { access: 'read', registry });
    expect(await reader.resolve(reader.name)).toEqual(image.manifest.descriptor);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('docker-credential-missing');
  });

  it('lists an image in a layout without a name, where there is none', async () => {
    const path = join(await tempDir(), 'layout');
    const store = new MemoryContent();
    const image = await sampleImage();
    await putImage(store, image, 'x');
    for (const name of [undefined, image.manifest.descriptor.digest]) {
      const endpoint = await open({ transport: 'oci-layout', path, name }, { access: 'write' });
      await copied(store, image.manifest.descriptor, endpoint, { name: endpoint.name });
      expect((await endpoint.resolve(endpoint.name)).digest).toBe(image.manifest.descriptor.digest);
    }
    const other = (await sampleImage(2)).manifest.descriptor.digest;
    const wrong = await open({ transport: 'oci-layout', path, name: other }, { access: 'write' });
    expect(await codeOf(wrong.tag(image.manifest.descriptor, wrong.name))).toBe('DIGEST_MISMATCH');
  });

  it('does nothing when it is cancelled already', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const path = join(await tempDir(), 'x.tar');
    await expect(openLocation({ transport: 'oci-archive', path }, { access: 'write', signal })).rejects.toThrow(
      'enough',
    );
  });
});
