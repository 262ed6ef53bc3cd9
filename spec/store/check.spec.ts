import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyImage } from '../../src/content/copy.js';
import { validateImage } from '../../src/image/validate.js';
import { type Digest, digestHex } from '../../src/oci/digest.js';
import { openStore, type Store } from '../../src/store/store.js';
import { codeOf, readAll } from '../support/content-suite.js';
import { MemoryContent } from '../support/memory-content.js';
import { type RandomImage, randomImage } from '../support/random-image.js';
import { tempDir } from '../support/temp-dir.js';

interface Case {
  readonly store: Store;
  readonly root: string;
  readonly image: RandomImage;
  readonly memory: MemoryContent;
  readonly pathOf: (digest: Digest) => string;
}

async function whole(): Promise<Case> {
  const root = join(await tempDir(), 'store');
  const store = await openStore(root);
  const memory = new MemoryContent();
  const image = await randomImage(memory, 1);
  await copyImage(memory, image.descriptor, store, { name: 'app' });
  await store.putRecord('aa', { body: Buffer.from('x'), blobs: [image.layers[0]!.blob.digest] });
  await readAll(await store.openRange(image.layers[0]!, 0, 10));
  await store.close();
  return { store, root, image, memory, pathOf: digest => join(root, 'blobs', 'sha256', digestHex(digest)) };
}

async function spoil(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(path, bytes);
}

describe('check', () => {
  it('finds nothing wrong with a store that is whole', async () => {
    const { store, image } = await whole();
    expect(await store.check()).toEqual({ blobs: 2 + image.layers.length, problems: [], leftovers: [] });
  });

  it('finds a damaged blob, which no reader gets; a repair and a pull make it whole', async () => {
    const { store, image, memory, pathOf } = await whole();
    const { digest } = image.layers[1]!.blob;
    await spoil(pathOf(digest));
    expect(await codeOf(store.open(image.layers[1]!.blob).then(readAll))).toBe('DIGEST_MISMATCH');
    const found = await store.check();
    expect(found.problems).toMatchObject([{ kind: 'blob-damaged', digest, repaired: false }]);
    expect((await store.check({ repair: true })).problems).toMatchObject([{ kind: 'blob-damaged', repaired: true }]);
    const after = await store.check();
    expect(after.problems).toEqual([
      { kind: 'blob-missing', digest, neededBy: 'docker.io/library/app:latest', repaired: false },
    ]);
    await copyImage(memory, image.descriptor, store, { name: 'app' });
    expect((await store.check()).problems).toEqual([]);
    await validateImage(store, image.descriptor);
    await store.close();
  });

  it('finds a record without its blobs', async () => {
    const { store, image, pathOf } = await whole();
    await rm(pathOf(image.layers[0]!.blob.digest));
    const kinds = (await store.check({ repair: true })).problems.map(({ kind, repaired }) => [kind, repaired]);
    expect(kinds).toEqual([
      ['blob-missing', false],
      ['record-damaged', true],
    ]);
  });

  it('finds a damaged manifest, and does not follow it', async () => {
    const { store, image, pathOf } = await whole();
    await spoil(pathOf(image.descriptor.digest));
    const found = await store.check();
    expect(found.problems).toMatchObject([{ kind: 'blob-damaged', digest: image.descriptor.digest }]);
  });

  it('finds a document that is none', async () => {
    const { store } = await whole();
    const bad = await store.putBytes('application/vnd.oci.image.manifest.v1+json', Buffer.from('{"schemaVersion":2}'));
    const entry = { ...bad, annotations: { 'org.opencontainers.image.ref.name': 'bad' } };
    await writeFile(join(store.root, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
    expect((await store.check()).problems).toMatchObject([
      { kind: 'document-invalid', digest: bad.digest, neededBy: 'bad' },
    ]);
    await store.close();
  });

  it.each(['index', 'note', 'spool'])('finds a damaged %s of a layer and makes room for a good one', async kind => {
    const { store, root, image } = await whole();
    const { diffId, blob } = image.layers[0]!;
    const paths: Record<string, string> = {
      index: join(root, 'layers', digestHex(diffId)),
      note: join(root, 'layers', 'blobs', `sha256-${digestHex(blob.digest)}`),
      spool: join(root, 'layers', `${digestHex(diffId)}.tar`),
    };
    await spoil(paths[kind]!);
    const found = await store.check({ repair: true });
    expect(found.problems).toEqual([{ kind: 'layer-file-damaged', path: paths[kind], repaired: true }]);
    const fresh = await openStore(root);
    expect((await fresh.layerIndex(image.layers[0]!)).diffId).toBe(diffId);
    await readAll(await fresh.openRange(image.layers[0]!, 0, 10));
    expect((await fresh.check()).problems).toEqual([]);
    await fresh.close();
  });

  it('finds a damaged record and files that do not belong', async () => {
    const { store, root } = await whole();
    await spoil(join(root, 'cache', 'steps', 'aa'));
    await writeFile(join(root, 'blobs', 'sha256', 'notes.txt'), '');
    const found = await store.check({ repair: true });
    expect(found.problems.map(({ kind }) => kind).sort()).toEqual(['record-damaged', 'stray-file']);
    expect((await store.check()).problems).toEqual([]);
    expect(await readdir(join(root, 'blobs', 'sha256'))).not.toContain('notes.txt');
  });

  it('finds an index.json that is none', async () => {
    const { store, root } = await whole();
    await writeFile(join(root, 'index.json'), '{"schemaVersion":2,"manifests":');
    expect((await store.check()).problems).toMatchObject([{ kind: 'index-file-invalid' }]);
  });

  it('stops when it is told to', async () => {
    const { store } = await whole();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(store.check({ signal })).rejects.toThrow('enough');
  });

  it('finds roots that do not say what they hold', async () => {
    const root = join(await tempDir(), 'store');
    const store = await openStore(root);
    const folder = await store.folder('snapshots');
    await mkdir(join(folder, 'half', 'root', 'closed'), { recursive: true });
    await chmod(join(folder, 'half', 'root', 'closed'), 0);
    await mkdir(join(folder, 'whole', 'root'), { recursive: true });
    await writeFile(join(folder, 'whole', 'about'), JSON.stringify({ layers: [] }));
    expect((await store.check()).problems).toEqual([
      { kind: 'snapshot-damaged', path: join(folder, 'half'), repaired: false },
    ]);
    await store.check({ repair: true });
    expect(await readdir(folder)).toEqual(['whole']);
    await store.close();
  });
});
