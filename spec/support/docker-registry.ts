import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './run-program.js';
import { startService } from './start-service.js';

export interface DockerRegistry {
  /** `127.0.0.1:PORT`, the first part of the names of its images. */
  readonly host: string;
  /** The folder of its content. It keeps nothing of it in memory, so the folder may be put back to an earlier state. */
  readonly data: string;
  /** Requests that it answered so far, as its access log shows them: `METHOD /path`, oldest first. */
  requests(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** The distribution project's registry, as Debian ships it, over plain HTTP on a free loopback port, without any account. */
export async function startDockerRegistry(): Promise<DockerRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'lading-registry-'));
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const data = join(folder, 'data');
  const config = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: data }, delete: { enabled: true } },
    http: { addr: host, secret: 'only-for-tests' },
  };
  // JSON is YAML.
  await writeFile(join(folder, 'config.yml'), JSON.stringify(config));
  const log = join(folder, 'log');
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const service = await startService('docker-registry', ['serve', join(folder, 'config.yml')], {
      log,
      ready: async () => (await fetch(`http://${host}/v2/`)).status === 200,
    });
    return {
      host,
      data,
      requests: async () => {
        const { stdout } = await runProgram('cat', [log]);
        return Array.from(stdout.matchAll(/"([A-Z]+ [^ "]+) HTTP/g), match => match[1]!);
      },
      stop: async () => {
        await service.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A port that was free a moment ago; the registry cannot tell which one it took if it chose itself. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>(resolve => server.close(() => resolve()));
  return port;
}
