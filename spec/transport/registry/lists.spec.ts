import { describe, expect, it } from 'vitest';
import type { RegistryServerOptions } from '../../../src/testing/index.js';
import { listRepositories } from '../../../src/transport/registry/catalog.js';
import { RegistryConnection } from '../../../src/transport/registry/connection.js';
import { type FoundRepository, searchRepositories } from '../../../src/transport/registry/search.js';
import { codeOf, hasty, startRegistry } from './connected.js';

const names = ['a/app', 'b/app', 'base', 'z'];

async function connected(options: RegistryServerOptions): Promise<RegistryConnection> {
  const server = await startRegistry(options);
  for (const name of names) server.content.putBlob(name, Buffer.from(name));
  return new RegistryConnection(server.host, { timing: hasty() });
}

async function all(connection: RegistryConnection): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const name of listRepositories(connection)) found.push(name);
  } finally {
    await connection.close();
  }
  return found;
}

async function search(connection: RegistryConnection, term: string, limit?: number): Promise<FoundRepository[]> {
  try {
    return await searchRepositories(connection, term, { limit });
  } finally {
    await connection.close();
  }
}

describe('a catalog', () => {
  it('is read page after page', async () => {
    expect(await all(await connected({ entriesPerPage: 1 }))).toEqual(names);
    expect(await all(await connected({}))).toEqual(names);
  });

  it('is not there in every registry', async () => {
    expect(await codeOf(all(await connected({ catalog: false })))).toBe('UNSUPPORTED');
  });
});

describe('a search', () => {
  it('asks where the registry can be asked', async () => {
    const found = await search(await connected({ search: true, catalog: false }), 'app', 1);
    expect(found).toEqual([{ name: 'a/app', description: 'about a/app', stars: 3, official: false }]);
  });

  it('goes through the catalog where it cannot', async () => {
    expect(await search(await connected({ entriesPerPage: 1 }), 'APP')).toEqual([{ name: 'a/app' }, { name: 'b/app' }]);
    expect(await search(await connected({}), 'app', 1)).toEqual([{ name: 'a/app' }]);
    expect(await search(await connected({}), 'nothing')).toEqual([]);
  });

  it('says so where there is neither', async () => {
    expect(await codeOf(search(await connected({ catalog: false }), 'app'))).toBe('UNSUPPORTED');
  });
});
