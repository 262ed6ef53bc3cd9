/**
 * A registry for tests: the distribution API over real sockets on this machine, all in memory, with everything that can
 * go wrong on request. It notices what a client must never do (a secret on the wrong way, a request that makes no
 * sense) and says so when it is stopped.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { RegistryAccounts, type RegistryAuth } from './registry-accounts.js';
import { RegistryApi, type RegistryHabits, UnexpectedRequest } from './registry-api.js';
import { Refusal, RegistryContent } from './registry-content.js';
import {
  type Call,
  errorBody,
  kindOf,
  type RecordedRequest,
  readBody,
  refuse,
  reply,
  withoutSecrets,
} from './registry-exchange.js';
import { type Chaos, type Fault, FaultPlan, type FaultRule } from './registry-faults.js';

export type { RecordedRequest } from './registry-exchange.js';

export interface RegistryServerOptions extends RegistryHabits {
  /** Default: everyone may do everything. */
  readonly auth?: RegistryAuth | undefined;
  /** Connections break after so many bytes of a body, in either direction; what has arrived of an upload stays. */
  readonly cutEveryBytes?: number | undefined;
  /** What goes wrong by chance, besides what is injected. */
  readonly chaos?: Chaos | undefined;
  /** Speaks TLS with this certificate. */
  readonly tls?:
    | { readonly key: string; readonly cert: string; readonly ca?: string; readonly requestCert?: boolean }
    | undefined;
  /** Milliseconds; default the clock of the system. */
  readonly now?: (() => number) | undefined;
}

export class RegistryServer {
  /** What it holds; may be filled and inspected directly. */
  readonly content = new RegistryContent();
  readonly accounts: RegistryAccounts;
  /** Everything that was asked, oldest first. */
  readonly requests: RecordedRequest[] = [];
  /** What clients did that they must not do. */
  readonly problems: string[] = [];
  readonly #api: RegistryApi;
  readonly #faults: FaultPlan;
  readonly #digestHeaders: boolean;
  readonly #cutEveryBytes: number | undefined;
  readonly #servers: Readonly<Record<RecordedRequest['origin'], Server>>;

  private constructor(options: RegistryServerOptions) {
    this.accounts = new RegistryAccounts(options.auth ?? { kind: 'none' }, options.now ?? Date.now);
    this.#faults = new FaultPlan(options.chaos);
    this.#digestHeaders = options.digestHeaders ?? true;
    this.#cutEveryBytes = options.cutEveryBytes;
    this.#api = new RegistryApi(this.content, this.accounts, {
      ...options,
      origin: which => `${which === 'registry' && options.tls ? 'https' : 'http'}://${hostOf(this.#servers[which])}`,
    });
    const handle = (origin: RecordedRequest['origin']) => (request: IncomingMessage, response: ServerResponse) =>
      void this.#handle(origin, request, response);
    this.#servers = {
      registry: options.tls ? createTlsServer(options.tls, handle('registry')) : createServer(handle('registry')),
      tokens: createServer(handle('tokens')),
      storage: createServer(handle('storage')),
    };
  }

  static async start(options: RegistryServerOptions = {}): Promise<RegistryServer> {
    const server = new RegistryServer(options);
    for (const each of Object.values(server.#servers)) {
      await new Promise<void>(resolve => each.listen(0, '127.0.0.1', resolve));
    }
    return server;
  }

  /** `127.0.0.1:PORT`, the first part of the names of its images. */
  get host(): string {
    return hostOf(this.#servers.registry);
  }

  /** Makes something go wrong with requests to come. */
  inject(rule: FaultRule, fault: Fault): void {
    this.#faults.add(rule, fault);
  }

  /** `METHOD path` of the requests to the registry itself, without the first one that only says hello. */
  log(): readonly string[] {
    return this.requests
      .filter(({ origin, path }) => origin === 'registry' && path !== '/v2/')
      .map(({ method, path }) => `${method} ${path}`);
  }

  /** How many connections are open, to whichever of its origins. */
  async connections(): Promise<number> {
    const counts = Object.values(this.#servers).map(
      server =>
        new Promise<number>((resolve, reject) => {
          server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
        }),
    );
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  /** Stops at once, whoever is still connected. @throws Error when a client did what it must not do */
  async stop(): Promise<void> {
    await Promise.all(
      Object.values(this.#servers).map(server => {
        const closed = new Promise<void>(resolve => server.close(() => resolve()));
        server.closeAllConnections();
        return closed;
      }),
    );
    if (this.problems.length > 0) throw new Error(`the test registry saw:\n${this.problems.join('\n')}`);
  }

  async #handle(origin: RecordedRequest['origin'], request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const method = request.method ?? 'GET';
    const record: RecordedRequest = {
      origin,
      method,
      path,
      authorization: kindOf(request.headers.authorization),
      headers: withoutSecrets(request),
      received: 0,
      status: 0,
      abandoned: false,
    };
    this.requests.push(record);
    request.on('error', () => {});
    response.on('error', () => {});
    response.on('close', () => {
      record.abandoned = !response.writableFinished;
    });
    const call: Call = {
      request,
      response,
      record,
      url: new URL(path, `http://${request.headers.host ?? 'nowhere'}`),
      faults: [...this.#habits(request), ...this.#faults.take(method, path)],
    };
    this.#lookForLeaks(call);
    try {
      if (!(await this.#goWrongFirst(call))) await this.#route(call);
    } catch (error) {
      if (error instanceof Refusal) refuse(call, error);
      // Whoever hung up while sending is not there to be answered.
      else if (request.destroyed) response.destroy();
      else this.#unexpected(call, error);
    }
  }

  /** What is so with every request. */
  *#habits({ headers }: IncomingMessage): Generator<Fault> {
    if (!this.#digestHeaders) yield { kind: 'headers', headers: { 'docker-content-digest': undefined } };
    const afterBytes = this.#cutEveryBytes;
    if (afterBytes === undefined) return;
    yield { kind: 'cut', afterBytes };
    if (Number(headers['content-length'] ?? 0) > afterBytes) yield { kind: 'cut-request', afterBytes, keep: true };
  }

  /** Faults that come before any work; whether that was all. */
  async #goWrongFirst(call: Call): Promise<boolean> {
    const { request, response, record, faults } = call;
    for (const fault of faults) {
      if (fault.kind === 'delay') await sleep(fault.ms);
      if (fault.kind === 'hang') return true;
      if (fault.kind === 'reset') {
        request.socket.resetAndDestroy();
        return true;
      }
      if (fault.kind === 'cut-request') {
        await (fault.keep ? this.#api.takePart(call, fault.afterBytes) : readBody(call, fault.afterBytes));
        request.socket.resetAndDestroy();
        return true;
      }
      if (fault.kind === 'answer') {
        await readBody(call);
        record.status = fault.status;
        const body = Buffer.from(fault.body ?? '');
        response.writeHead(fault.status, { 'content-length': body.length, ...fault.headers }).end(body);
        return true;
      }
    }
    return false;
  }

  async #route(call: Call): Promise<void> {
    const { origin } = call.record;
    if (origin === 'tokens') await this.#giveToken(call);
    else if (origin === 'storage') await this.#api.handleStorage(call);
    else await this.#api.handle(call);
  }

  async #giveToken(call: Call): Promise<void> {
    const { request, record, url } = call;
    const body = await readBody(call);
    const form = record.method === 'POST' ? new URLSearchParams(body.toString('utf8')) : url.searchParams;
    if (url.pathname !== '/token' || form.get('service') !== 'test registry') throw new UnexpectedRequest();
    const scopes = record.method === 'POST' ? (form.get('scope') ?? '').split(' ') : form.getAll('scope');
    const answer = this.accounts.issue(scopes.filter(Boolean), {
      authorization: request.headers.authorization,
      refreshToken: record.method === 'POST' ? (form.get('refresh_token') ?? '') : undefined,
    });
    if (answer === undefined) throw new Refusal(401, 'UNAUTHORIZED', 'incorrect username or password');
    reply(call, 200, { 'content-type': 'application/json' }, JSON.stringify(answer));
  }

  /** A secret belongs into the header for it, and only towards the registry and its tokens. */
  #lookForLeaks({ request, record }: Call): void {
    const where = `${record.method} ${record.origin}${record.path}`;
    if (record.origin === 'storage' && request.headers.authorization !== undefined) {
      this.problems.push(`${where}: an Authorization went to another origin`);
    }
    const { authorization: _, ...others } = request.headers;
    const text = JSON.stringify([record.path, decodeURIComponent(record.path), others]);
    if (this.accounts.secrets.some(secret => text.includes(secret))) this.problems.push(`${where}: carries a secret`);
  }

  #unexpected(call: Call, error: unknown): void {
    const { method, path, origin } = call.record;
    this.problems.push(
      `${method} ${origin}${path}: unexpected${error instanceof UnexpectedRequest ? '' : ` (${String(error)})`}`,
    );
    call.request.resume();
    if (!call.response.headersSent) reply(call, 400, {}, errorBody('UNSUPPORTED', 'unexpected request'));
  }
}

function hostOf(server: Server): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
