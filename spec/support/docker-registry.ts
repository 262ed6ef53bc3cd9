import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
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

export interface DockerRegistryOptions {
  /** More of its configuration: `auth`. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** Files of a certificate for 127.0.0.1 and its key: it speaks TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
  /** Written beside the configuration, by name; `FOLDER/NAME` in the configuration leads there. */
  readonly files?: Readonly<Record<string, string>> | undefined;
}

/** The distribution project's registry, as Debian ships it, on a free loopback port: by default plain, for everyone. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'lading-registry-'));
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const data = join(folder, 'data');
  const config = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: data }, delete: { enabled: true } },
    http: { addr: host, secret: 'only-for-tests', ...(options.tls === undefined ? {} : { tls: options.tls }) },
    ...options.config,
  };
  for (const [name, text] of Object.entries(options.files ?? {})) await writeFile(join(folder, name), text);
  // JSON is YAML.
  await writeFile(join(folder, 'config.yml'), JSON.stringify(config).replaceAll('FOLDER/', `${folder}/`));
  const log = join(folder, 'log');
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const service = await startService('docker-registry', ['serve', join(folder, 'config.yml')], {
      log,
      ready: () => answers(port),
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

/** Whether somebody listens; what is said there may take a certificate or an account. */
function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** A port that was free a moment ago; the registry cannot tell which one it took if it chose itself. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>(resolve => server.close(() => resolve()));
  return port;
}
