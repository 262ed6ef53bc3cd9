import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface ProxyServerOptions {
  /** Names that only the proxy knows, each with the port of this machine that it stands for. */
  readonly hosts: Readonly<Record<string, number>>;
  /** `USER:PASSWORD` that it wants. */
  readonly account?: string | undefined;
  /** Speaks TLS with this certificate. */
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  /** Answers nothing to CONNECT. */
  readonly silent?: boolean | undefined;
}

export interface ProxyServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `CONNECT files.example:443`, `GET http://files.example/path` */
  readonly asked: string[];
  /** How many connections are open now. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** A proxy of HTTP on this machine: tunnels by CONNECT, relays addresses of `http`, and leads to this machine alone. */
export async function proxyServer({ hosts, account, tls, silent }: ProxyServerOptions): Promise<ProxyServer> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const admits = ({ headers }: IncomingMessage): boolean =>
    account === undefined || headers['proxy-authorization'] === `Basic ${Buffer.from(account).toString('base64')}`;

  function relay(incoming: IncomingMessage, response: ServerResponse): void {
    asked.push(`${incoming.method} ${incoming.url}`);
    if (!admits(incoming)) return void response.writeHead(407).end();
    const { hostname, pathname, search } = new URL(incoming.url!);
    const { 'proxy-authorization': _, ...headers } = incoming.headers;
    const place = { host: '127.0.0.1', port: hosts[hostname], path: pathname + search, method: incoming.method };
    const outgoing = request({ ...place, headers }, answer => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  }

  function tunnel(incoming: IncomingMessage, client: Socket): void {
    asked.push(`CONNECT ${incoming.url}`);
    client.on('error', () => {});
    // Sockets of servers of HTTP stay half open.
    client.on('end', () => client.end());
    if (silent) return void client.resume();
    const port = hosts[incoming.url!.replace(/:\d+$/, '')];
    if (!admits(incoming)) return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    if (port === undefined) return void client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    const target = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      client.pipe(target).pipe(client);
    });
    sockets.add(target);
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  }

  const server: Server = tls ? (createTlsServer(tls, relay) as unknown as Server) : createServer(relay);
  server.on('connect', tunnel);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
      ),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
