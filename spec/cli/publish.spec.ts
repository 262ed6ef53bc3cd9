import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { chmod, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ContainerProgram, containerProgram } from '../support/container-program.js';
import { machineUser, machineUserPrograms } from '../support/machine-user.js';
import { describeWith, patience } from '../support/programs.js';
import { runProgram } from '../support/run-program.js';
import { processesWith } from '../support/sandbox-suite.js';

const needed = ['root', 'unshare', 'nsenter', 'setpriv', 'busybox', 'pasta', 'slirp4netns'];
const networks = ['pasta', 'slirp4netns'] as const;

describeWith(needed, 'a container with a network of its own', () => {
  let program: ContainerProgram;
  beforeAll(async () => {
    program = await containerProgram('EXPOSE 80 53/udp\n');
  }, patience);

  describe.each(networks)('made by %s', network => {
    it('publishes its ports, and leaves nothing behind', async () => {
      const { lading, tried } = program;
      const name = `web-${network}`;
      const serve = 'echo served >/index.html; busybox httpd -p 80 -h /; sleep 1000';
      const publish = ['-p', '127.0.0.1::80', '-p', '127.0.0.1::53/udp'];
      await lading('run', '-d', '--name', name, '--network', network, ...publish, 'base', 'sh', '-c', serve);
      expect(await lading('port', name)).toMatch(/^53\/udp -> 127\.0\.0\.1:\d+\n80\/tcp -> 127\.0\.0\.1:\d+\n$/);
      const place = (await lading('port', name, '80')).trim();
      expect(await lading('ps')).toContain(`${place}->80/tcp`);
      expect((await tried('port', name, '81')).code).toBe(2);
      expect(await get(place)).toContain('served');
      // A second one cannot have it, whether it waits or not.
      for (const how of [[], ['-d']]) {
        const second = await tried('run', ...how, '--network', network, '-p', `${place}:80`, 'base', 'true');
        expect([second.code, second.stderr]).toEqual([
          how.length === 0 ? 2 : 1,
          expect.stringContaining(place.slice(10)),
        ]);
      }
      expect(await programsOf(network)).not.toEqual([]);
      await lading('stop', '-t', '0', name);
      await gone(network);
      await expect(get(place)).rejects.toThrow();
      expect(await lading('port', name)).toBe('');
      await lading('rm', name);
    });

    it('ends with whoever runs it, also when that is killed', async () => {
      const { lading, folder } = program;
      const name = `killed-${network}`;
      await lading('run', '-d', '--name', name, '--network', network, '-p', '80', 'base', 'sleep', '1000');
      const runners = await pidsWith(['start', '--attach', join(folder, 'store')]);
      expect(runners).toHaveLength(1);
      process.kill(runners[0]!, 'SIGKILL');
      await gone(network);
      await lading('rm', '-f', name);
    });

    it('reaches outside, but not the loopback of this machine; names are resolved by a server there', async () => {
      const { bin, env, folder } = program;
      const server = createServer(socket => socket.end('of the loopback'));
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { port: number };
      const names = await nameServer('127.0.0.77');
      await writeFile(join(folder, 'resolv'), 'nameserver 127.0.0.77\nsearch lading.test\n');
      const ask = `nslookup there.lading.test. 10.0.2.3; cat /etc/resolv.conf; for a in 10.0.2.2 127.0.0.1; do nc -w 2 $a ${port} </dev/null & done; sleep 3`;
      try {
        const inner = [
          process.execPath,
          bin,
          'run',
          '--rm',
          '--network',
          network,
          'base',
          'sh',
          '-c',
          ask.replace('nslookup', 'busybox nslookup'),
        ];
        // This machine's names, for it and what it starts alone.
        const outer = [
          '--mount',
          'sh',
          '-c',
          'mount --bind "$1" "$(readlink -f /etc/resolv.conf)"; shift; exec "$@"',
          'sh',
          join(folder, 'resolv'),
        ];
        const { stdout } = await runProgram('unshare', [...outer, ...inner], {
          env,
          cwd: folder,
          mayFail: true,
          timeout: 60,
        });
        expect(stdout).toContain('198.51.100.7');
        expect(stdout).toContain('nameserver 10.0.2.3\nsearch lading.test\n');
        expect(stdout).not.toContain('127.0.0.77');
        expect(stdout).not.toContain('of the loopback');
      } finally {
        server.close();
        names.close();
      }
    });
  });

  it('publishes what the image says, and refuses what cannot be', async () => {
    const { lading, tried } = program;
    await lading('run', '-d', '--name', 'all', '-P', 'base', 'sleep', '1000');
    expect(JSON.parse(await lading('port', '--json', 'all'))).toMatchObject([
      { containerPort: 53, protocol: 'udp' },
      { containerPort: 80, protocol: 'tcp' },
    ]);
    await lading('rm', '-f', 'all');
    const before = await lading('ps', '-aq');
    const refused = async (...argv: string[]) => {
      const { code, stderr } = await tried('run', '--rm', ...argv, 'base', 'true');
      return [code, /\[(\w+)\]/.exec(stderr)?.[1]];
    };
    expect(await refused('-p', '80', '--network', 'host')).toEqual([2, 'USAGE']);
    expect(await refused('-p', '80', '--network', 'none')).toEqual([2, 'USAGE']);
    expect(await refused('-p', 'x')).toEqual([2, 'USAGE']);
    expect(await refused('-p', '[::1]::80', '--network', 'slirp4netns')).toEqual([1, 'RUN_UNAVAILABLE']);
    for (const sandbox of ['proot', 'oci', 'chroot']) {
      expect(await refused('-p', '80', '--sandbox', sandbox), sandbox).toEqual([1, 'RUN_UNAVAILABLE']);
    }
    expect(await lading('ps', '-aq')).toBe(before);
  });
});

describeWith(
  [...needed, ...machineUserPrograms, 'newuidmap'],
  'a container with a network of its own, without privilege',
  () => {
    it.each([...[true, false].flatMap(ranges => networks.map(network => ({ ranges, network })))])(
      'has its ports ($network, ranges: $ranges)',
      async ({ ranges, network }) => {
        const { folder, bin } = await containerProgram();
        await chmod(bin, 0o644);
        await runProgram('chmod', ['-R', 'a+rX', join(folder, 'app')]);
        const user = await machineUser(folder, { ranges });
        // Nodes of devices are for all where they should be; here that is not taken for granted, and not changed.
        const script = 'mount -t tmpfs tmpfs /dev/net; mknod -m 666 /dev/net/tun c 10 200; exec "$@"';
        const as = ['setpriv', '--reuid', user.name, '--regid', user.name, '--init-groups', 'env', '-i'];
        const env = [`HOME=${user.home}`, 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', `LADING_ROOT=${user.home}/store`];
        const lading = async (...argv: string[]): Promise<string> => {
          const inner = [...as, ...env, process.execPath, bin, ...argv];
          return (
            await runProgram('unshare', ['--mount', 'sh', '-c', script, 'sh', ...inner], { cwd: folder, timeout: 120 })
          ).stdout;
        };
        try {
          await lading('build', '-q', '-t', 'base', join(folder, 'app'));
          const how = ['--sandbox', 'namespaces', '--network', network, '-p', '127.0.0.1::80'];
          const serve = 'echo served >/index.html; busybox httpd -p 80 -h /; sleep 1000';
          await lading('run', '-d', '--name', 'web', ...how, 'base', 'sh', '-c', serve);
          expect(await get((await lading('port', 'web', '80/tcp')).trim())).toContain('served');
          await lading('stop', '-t', '0', 'web');
          await gone(network);
        } finally {
          await user.remove();
        }
      },
      patience,
    );
  },
);

/** Those that connect networks; of all tests this file alone starts any. */
async function programsOf(network: string): Promise<string[]> {
  return (await processesWith('/sys/net')).filter(line => line.includes(network));
}

async function gone(network: string): Promise<void> {
  for (let i = 0; i < 100 && (await programsOf(network)).length > 0; i++) await sleep(50);
  expect(await programsOf(network)).toEqual([]);
}

async function pidsWith(parts: readonly string[]): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid,args', '-ww']);
  const lines = stdout.split('\n').filter(line => parts.every(part => line.includes(part)));
  return lines.map(line => Number.parseInt(line, 10));
}

/** What answers at a place; it may not listen yet. */
async function get(place: string): Promise<string> {
  const [host, port] = place.split(':') as [string, string];
  for (let i = 0; ; i++) {
    try {
      const socket = connect({ host, port: Number(port) });
      socket.end('GET /index.html HTTP/1.0\r\n\r\n');
      const answer = await text(socket);
      if (answer !== '' || i > 40) return answer;
    } catch (error) {
      if (i > 40) throw error;
    }
    await sleep(50);
  }
}

/** Answers every question for an address with 198.51.100.7. */
async function nameServer(address: string): Promise<{ close(): void }> {
  const socket = createSocket('udp4');
  socket.on('message', (question, { port, address: from }) => {
    const end = question.indexOf(0, 12) + 5;
    const isAddress = question.readUInt16BE(end - 4) === 1;
    const head = Buffer.from(question.subarray(0, end));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(isAddress ? 1 : 0, 6);
    head.writeUInt32BE(0, 8);
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 7]);
    socket.send(isAddress ? Buffer.concat([head, answer]) : head, port, from);
  });
  await new Promise<void>(resolve => socket.bind(53, address, resolve));
  return { close: () => void socket.close() };
}
