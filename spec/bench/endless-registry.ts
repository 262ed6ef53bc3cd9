import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const chunk = Buffer.alloc(1024 * 1024);

/** The digest of so many zeros. */
export function digestOfZeros(size: number): string {
  const hash = createHash('sha256');
  for (let left = size; left > 0; left -= chunk.length)
    hash.update(left < chunk.length ? chunk.subarray(0, left) : chunk);
  return `sha256:${hash.digest('hex')}`;
}

/**
 * A registry that holds one manifest of one blob of zeros, made while it is sent, and swallows what is pushed: for blobs
 * that no memory and no disk need hold.
 */
export class EndlessRegistry {
  readonly #server: Server;
  readonly #manifest: Buffer;
  readonly #size: number;

  private constructor(manifest: Buffer, size: number) {
    this.#manifest = manifest;
    this.#size = size;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(manifest: Buffer, size: number): Promise<EndlessRegistry> {
    const registry = new EndlessRegistry(manifest, size);
    await new Promise<void>(resolve => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const target = url.startsWith('/v2/target/');
    if (method === 'POST') {
      request.resume();
      response.writeHead(202, { location: '/v2/target/blobs/uploads/1' }).end();
    } else if (method === 'PUT') {
      for await (const _ of request);
      response.writeHead(201).end();
    } else if (url === '/v2/') response.end('{}');
    else if (target) response.writeHead(404).end();
    else if (url.includes('/manifests/')) {
      const type = 'application/vnd.oci.image.manifest.v1+json';
      const headers = { 'content-type': type, 'content-length': this.#manifest.length };
      response.writeHead(200, headers).end(method === 'HEAD' ? undefined : this.#manifest);
    } else if (url.includes(createHash('sha256').update('{}').digest('hex'))) response.end('{}');
    else {
      response.writeHead(200, { 'content-length': this.#size });
      if (method === 'HEAD') response.end();
      else await this.#sendZeros(response);
    }
  }

  async #sendZeros(response: ServerResponse): Promise<void> {
    const closed = new AbortController();
    response.once('close', () => closed.abort());
    for (let left = this.#size; left > 0 && !response.destroyed; left -= chunk.length) {
      const ready = response.write(left < chunk.length ? chunk.subarray(0, left) : chunk);
      // Closing also ends the wait: whoever hangs up takes no more.
      if (!ready) await once(response, 'drain', { signal: closed.signal }).catch(() => {});
    }
    response.end();
  }
}
