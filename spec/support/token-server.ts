import { createSign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { readAll } from './content-suite.js';
import { derOf } from './private-authority.js';
import { webServer } from './web-server.js';

export interface TokenServerOptions {
  readonly username: string;
  readonly password: string;
  /** Files of a certificate that the registry knows, and of its key. */
  readonly certificate: string;
  readonly key: string;
  readonly issuer: string;
  readonly service: string;
  readonly expiresInSeconds: number;
}

export interface TokenServer {
  /** What a registry names as its realm. */
  readonly realm: string;
  /** The scopes of each token that was given out. */
  readonly given: string[][];
  close(): Promise<void>;
}

/** Gives out tokens as the distribution project specifies them: everything to the one user, `public/…` to all for reading. */
export async function tokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const { username, password, certificate, issuer, service, expiresInSeconds } = options;
  const key = await readFile(options.key, 'utf8');
  const header = { typ: 'JWT', alg: 'ES256', x5c: [await derOf(certificate)] };
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const given: string[][] = [];
  const server = await webServer(async (request, response) => {
    await readAll(request);
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    const { authorization } = request.headers;
    const known = authorization === basic;
    if (pathname !== '/token' || searchParams.get('service') !== service || (authorization !== undefined && !known)) {
      response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}');
      return;
    }
    const scopes = searchParams.getAll('scope').filter(scope => known || /^repository:public\//.test(scope));
    const access = scopes.map(scope => {
      const [, type, name, actions = ''] = /^([^:]+):(.+):([^:]*)$/.exec(scope) ?? [];
      return { type, name, actions: known ? actions.split(',') : ['pull'] };
    });
    given.push(scopes);
    const now = Math.floor(Date.now() / 1000);
    const times = { iat: now, nbf: now - 10, exp: now + expiresInSeconds };
    const claims = {
      iss: issuer,
      sub: known ? username : '',
      aud: service,
      jti: String(given.length),
      access,
      ...times,
    };
    const text = [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const signature = createSign('SHA256').update(text).sign({ key, dsaEncoding: 'ieee-p1363' }, 'base64url');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ token: `${text}.${signature}`, expires_in: expiresInSeconds }));
  });
  return { realm: `${server.url}/token`, given, close: server.close };
}
