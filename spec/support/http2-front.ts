import { request } from 'node:http';
import {
  constants,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { selfSigned } from './self-signed.js';

/** What becomes of a request that comes over HTTP/2. */
export type Http2Fault =
  /** The connection takes no more requests, and this one is none of those that it still answers. */
  | 'goaway-before'
  /** The connection takes no more requests, in the middle of a body; this one would be answered to its end. */
  | 'goaway-during'
  | 'goaway-after'
  /** The stream ends in an error in the middle of a body. */
  | 'reset'
  /** The stream was not looked at: the request may be sent again, whatever it is. */
  | 'refuse';

export interface Http2Front {
  /** As in a reference. */
  readonly host: string;
  /** What has come, in order: the version of HTTP, the method and the path. */
  readonly requests: string[];
  /** Whatever comes next for a method and a path fails so, once. */
  inject(method: string, path: RegExp, fault: Http2Fault): void;
  /** Faults that nothing has met yet. */
  pending(): number;
}

export interface Http2FrontOptions {
  /** Where requests go: `HOST:PORT` of a server without TLS. */
  readonly behind: string;
  /** Whether HTTP/1.1 is offered, too; default yes. */
  readonly http1?: boolean | undefined;
  /** How many requests may be under way on a connection; default 100. */
  readonly maxStreams?: number | undefined;
}

/** After so many bytes of a body it is in its middle. */
const middle = 200_000;

/** A server of HTTP/2 over TLS before another server, as a balancer is. It ends with the test. */
export async function http2Front({ behind, http1 = true, maxStreams = 100 }: Http2FrontOptions): Promise<Http2Front> {
  const requests: string[] = [];
  const faults: Array<{ method: string; path: RegExp; fault: Http2Fault }> = [];
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  const server = createSecureServer({
    ...selfSigned,
    allowHTTP1: http1,
    settings: { maxConcurrentStreams: maxStreams },
  });
  server.on('session', session => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session)).on('error', () => {});
  });
  server.on('secureConnection', socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  server.on('request', (incoming, response) => {
    const { method, url } = incoming;
    requests.push(`${incoming.httpVersion} ${method} ${url}`);
    const at = faults.findIndex(each => each.method === method && each.path.test(url));
    const fault = incoming.httpVersion === '2.0' && at >= 0 ? faults.splice(at, 1)[0]!.fault : undefined;
    passOn(behind, incoming, response, fault);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const session of sessions) session.destroy();
    for (const socket of sockets) socket.destroy();
    await new Promise(resolve => server.close(resolve));
  });
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    inject: (method, path, fault) => void faults.push({ method, path, fault }),
    pending: () => faults.length,
  };
}

function passOn(
  behind: string,
  incoming: Http2ServerRequest,
  response: Http2ServerResponse,
  fault: Http2Fault | undefined,
): void {
  const { stream } = response;
  incoming.on('error', () => {});
  response.on('error', () => {});
  if (fault === 'refuse' || fault === 'goaway-before') {
    if (fault === 'refuse') stream.close(constants.NGHTTP2_REFUSED_STREAM);
    else stream.session?.goaway(constants.NGHTTP2_NO_ERROR, Math.max(0, (stream.id ?? 0) - 2));
    return;
  }
  let passed = 0;
  const count = (chunk: Buffer): void => {
    const before = passed;
    passed += chunk.length;
    if (before >= middle || passed < middle) return;
    if (fault === 'goaway-during') stream.session?.goaway(constants.NGHTTP2_NO_ERROR);
    if (fault === 'reset') stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  };
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).filter(([name]) => !/^:|^transfer-encoding$/.test(name)),
  );
  const outgoing = request(
    {
      host: behind.split(':')[0],
      port: behind.split(':')[1],
      method: incoming.method,
      path: incoming.url,
      headers: { ...headers, host: behind },
    },
    answer => {
      const kept = Object.entries(answer.headers).filter(
        ([name]) => !/^(?:connection|keep-alive|transfer-encoding)$/.test(name),
      );
      response.writeHead(answer.statusCode!, Object.fromEntries(kept) as Record<string, string>);
      answer.on('data', (chunk: Buffer) => {
        count(chunk);
        if (!stream?.destroyed && !response.write(chunk)) {
          answer.pause();
          response.once('drain', () => answer.resume());
        }
      });
      answer.on('error', () => {});
      answer.on('end', () => {
        if (fault === 'goaway-after') response.on('finish', () => stream.session?.goaway(constants.NGHTTP2_NO_ERROR));
        response.end();
      });
    },
  );
  outgoing.on('error', () => response.stream?.close(constants.NGHTTP2_INTERNAL_ERROR));
  incoming.on('data', (chunk: Buffer) => {
    count(chunk);
    if (!outgoing.write(chunk)) {
      incoming.pause();
      outgoing.once('drain', () => incoming.resume());
    }
  });
  incoming.on('end', () => outgoing.end());
  incoming.on('aborted', () => outgoing.destroy());
}
