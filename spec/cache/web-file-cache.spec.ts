import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { webFileCache } from '../../src/cache/web-file-cache.js';
import { openStore } from '../../src/store/store.js';
import { chunksOf } from '../support/content-suite.js';
import { tempDir } from '../support/temp-dir.js';

it('knows a file by its address, but for user, password and fragment, and keeps no word of it', async () => {
  const root = await tempDir();
  const store = await openStore(root);
  const cache = webFileCache(store);
  const blob = await store.putStream('application/octet-stream', chunksOf('content'));
  const file = { blob, etag: '"1"', lastModified: 5 };
  await cache.put(new URL('https://me:canary@host.example/canary?canary=canary#canary'), file);
  const known = ['https://host.example/canary?canary=canary', 'https://you@HOST.example:443/canary?canary=canary#x'];
  for (const address of known) expect(await cache.get(new URL(address)), address).toEqual(file);
  const unknown = [
    'http://host.example/canary?canary=canary',
    'https://host.example/canary',
    'https://host.example:444/canary?canary=canary',
    'https://host.example/canary?canary=other',
  ];
  for (const address of unknown) expect(await cache.get(new URL(address)), address).toBeUndefined();
  const folder = join(root, 'cache', 'steps');
  const records = readdirSync(folder);
  expect(records).toHaveLength(1);
  const text = readFileSync(join(folder, records[0]!), 'utf8');
  expect(text).toContain('"1\\"');
  expect(text).not.toMatch(/canary|host\.example/);
  await store.close();
});
