import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { claimPorts } from '../../src/container/claim-ports.js';
import { containerProcess } from '../../src/container/container-process.js';
import { parsePublish } from '../../src/container/publish.js';

const port = (text: string) =>
  parsePublish(text).map(({ address, hostPorts, containerPort, protocol }) => {
    return `${address} ${hostPorts?.join('-') ?? 'any'} ${containerPort}/${protocol}`;
  });

describe('what --publish says', () => {
  it.each([
    ['80', ['0.0.0.0 any 80/tcp']],
    ['8080:80', ['0.0.0.0 8080-8080 80/tcp']],
    ['8080:80/UDP', ['0.0.0.0 8080-8080 80/udp']],
    ['127.0.0.1:8080:80', ['127.0.0.1 8080-8080 80/tcp']],
    ['127.0.0.1::80', ['127.0.0.1 any 80/tcp']],
    ['[::1]:8080:80', ['::1 8080-8080 80/tcp']],
    ['8000-8001:90-91', ['0.0.0.0 8000-8000 90/tcp', '0.0.0.0 8001-8001 91/tcp']],
    ['8000-8010:90', ['0.0.0.0 8000-8010 90/tcp']],
    ['90-91', ['0.0.0.0 any 90/tcp', '0.0.0.0 any 91/tcp']],
  ])('%s', (text, expected) => expect(port(text)).toEqual(expected));

  it.each([
    ...[
      '',
      ':',
      ':80:',
      '0',
      '65536',
      '80/sctp',
      '80/tcp/udp',
      '8080:80-81',
      '81-80',
      'localhost:8080:80',
      '::1:80:80',
    ],
    ...['1-60000:1-60000', '-p', '8080:', 'a:b', '1.2.3:80:80', '[::1%lo]:80:80', '[127.0.0.1]x:1:1'],
  ])('%j is refused', text => {
    expect(() => parsePublish(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('the network of a process', () => {
  const image = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } } as const;
  const config = { Cmd: ['x'], ExposedPorts: { '80/tcp': {}, '53/udp': {} } };
  const process = (options: object) => containerProcess({ ...image, config } as never, options, 'a'.repeat(64));

  it('is that of this machine, and one of its own where ports are published', () => {
    expect(process({}).network).toBe('default');
    expect(process({ publish: parsePublish('80') }).network).toBe('bridge');
    expect(process({ publish: parsePublish('80'), network: 'slirp4netns' }).network).toBe('slirp4netns');
    expect(process({ publishAll: true }).publish.map(({ containerPort }) => containerPort)).toEqual([80, 53]);
  });

  it.each(['host', 'none'])('cannot be %s then', network => {
    expect(() => process({ publish: parsePublish('80'), network })).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('ports of this machine', () => {
  it('are found, each once, and one that is taken is refused', async () => {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const taken = (server.address() as { port: number }).port;
    try {
      await expect(claimPorts(parsePublish(`127.0.0.1:${taken}:80`))).rejects.toMatchObject({ code: 'USAGE' });
      const range = `127.0.0.1:${taken}-${Math.min(taken + 20, 65_535)}:80`;
      const claimed = await claimPorts([...parsePublish(range), ...parsePublish('127.0.0.1::81/udp')]);
      expect(claimed).toHaveLength(2);
      expect(claimed[0]!.hostPort).toBeGreaterThan(taken);
      const two = await claimPorts([...parsePublish('127.0.0.1::1-40')]);
      expect(new Set(two.map(({ hostPort }) => hostPort)).size).toBe(40);
    } finally {
      server.close();
    }
  });
});
