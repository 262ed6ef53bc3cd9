import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod/mini';
import { isLadingError } from '../../../errors/errors.js';
import type { CallOptions } from '../../../stream/bytes.js';
import { readCapped } from '../../../stream/read-capped.js';
import { Dispatcher } from '../../http/dispatcher.js';
import { Http, type HttpRequest, type HttpResponse } from '../../http/http.js';
import { isLoopbackHost } from '../../http/loopback.js';
import type { ProxySettings } from '../../http/proxy.js';
import { type CredentialCandidate, type CredentialPlace, credentialsError } from '../credentials.js';
import { printable, registryFailures } from '../failure.js';

type Env = Readonly<Record<string, string | undefined>>;

export interface CloudOptions {
  readonly env: Env;
  readonly proxy?: ProxySettings | undefined;
  /** Milliseconds since 1970; signatures have a time. Default the clock of the system. */
  readonly now?: (() => number) | undefined;
  /** Where services are asked instead, by their origin: private addresses of them, or doubles. */
  readonly tokenServices?: Readonly<Record<string, string>> | undefined;
  /** What the firmware says of this machine. Default `/sys/class/dmi/id`. */
  readonly machineFolder?: string | undefined;
}

/** What services of clouds are asked with. */
export interface Cloud {
  readonly env: Env;
  now(): number;
  /**
   * One request, and its answer as JSON, or as text without a schema.
   * @throws LadingError CREDENTIALS for anything but a status of success and an answer of the right form
   */
  ask<T>(request: CloudRequest, schema: z.ZodMiniType<T>, call: CallOptions): Promise<T>;
  askText(request: CloudRequest, call: CallOptions): Promise<string>;
  /** A fact of the firmware, such as `sys_vendor`; empty where there is none. */
  machine(fact: string): Promise<string>;
}

export interface CloudRequest extends Pick<HttpRequest, 'method' | 'headers' | 'authorization'> {
  readonly url: string | URL;
  readonly body?: string | undefined;
}

const answerLimit = 1024 * 1024;

export function openCloud(options: CloudOptions): Cloud {
  const { env, now = Date.now, machineFolder = '/sys/class/dmi/id' } = options;
  const askText = (request: CloudRequest, call: CallOptions): Promise<string> => exchange(request, options, call);
  return {
    env,
    now,
    askText,
    async ask(request, schema, call) {
      const text = await askText(request, call);
      try {
        return schema.parse(JSON.parse(text));
      } catch {
        // The answer is a secret, whatever is wrong with it.
        throw unusable(new URL(request.url), 'gave an answer that is not one');
      }
    },
    async machine(fact) {
      const text = await readFile(path.join(machineFolder, fact), 'utf8').catch(() => '');
      return text.trim();
    },
  };
}

/** Credentials that a service of a cloud gives for registries of its own, when there is something to ask it with. */
export function cloudPlace(
  name: string,
  serves: (registry: string) => boolean,
  candidates: (registry: string) => Promise<readonly CredentialCandidate[]>,
): CredentialPlace {
  return {
    name,
    async look({ registry }) {
      if (!serves(registry)) return `is not for ${registry}`;
      const found = await candidates(registry);
      return found.length > 0 ? found : 'there is nothing to ask it with';
    },
  };
}

/** A service of a cloud is asked over TLS; on this machine, or on the network between it and its host, also without. */
function isAllowed({ protocol, hostname }: URL): boolean {
  if (protocol === 'https:') return true;
  return protocol === 'http:' && (isLoopbackHost(hostname) || isLinkLocal(hostname));
}

function isLinkLocal(host: string): boolean {
  return /^169\.254(?:\.\d{1,3}){2}$/.test(host) || /^\[fd00:ec2::[0-9a-f]{1,4}\]$/.test(host);
}

async function exchange(
  { url: written, body, ...request }: CloudRequest,
  { proxy, tokenServices = {} }: CloudOptions,
  { signal }: CallOptions,
): Promise<string> {
  const url = new URL(written);
  const instead = Object.hasOwn(tokenServices, url.origin) ? tokenServices[url.origin] : undefined;
  const target = instead === undefined ? url : new URL(`${url.pathname}${url.search}`, instead);
  const near = isLinkLocal(target.hostname);
  const dispatcher = new Dispatcher({
    // Nobody else can reach what is next to us, and what is there answers at once or not at all.
    ...(near ? { connectTimeoutMs: 1000, headersTimeoutMs: 5000 } : { proxy, headersTimeoutMs: 30_000 }),
  });
  const tls = { verify: true };
  const http = new Http({
    dispatcher,
    trust: { allows: isAllowed, tls: () => tls },
    failures: registryFailures,
  });
  try {
    const response = await http.send({
      ...request,
      url: target,
      body: body === undefined ? undefined : Buffer.from(body),
      redirects: 'refuse',
      retries: near ? 1 : 3,
      signal,
    });
    const text = (await readCapped(response.body, answerLimit, 'answer')).toString('utf8');
    if (response.status === 200) return text;
    throw unusable(url, `answered ${response.status}${saidOf(response, text)}`);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (isLadingError(error, 'CREDENTIALS')) throw error;
    throw unusable(url, isLadingError(error) ? error.message : 'did not answer');
  } finally {
    await dispatcher.close();
  }
}

function unusable(url: URL, problem: string): Error {
  return credentialsError(url.host, problem, 'Check what it is asked with, or log in with "lading login".');
}

/** The reason in an answer of failure, in the forms of OAuth2 and of AWS. */
function saidOf(response: HttpResponse, text: string): string {
  const xml = /<Message>([^<]{1,1000})<\/Message>/.exec(text)?.[1];
  if (xml !== undefined) return `: ${printable(xml, 300)}`;
  if (!/json/.test(response.header('content-type') ?? 'json')) return '';
  try {
    const { error, error_description: description, message, Message, __type: type } = JSON.parse(text);
    const said = [type, error, description ?? message ?? Message].filter(part => typeof part === 'string');
    return said.length === 0 ? '' : `: ${printable(said.join(' '), 300)}`;
  } catch {
    return '';
  }
}

/** A form as it is sent by POST. */
export function formRequest(url: string | URL, fields: Readonly<Record<string, string>>): CloudRequest {
  return {
    method: 'POST',
    url,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  };
}

/** A file that a setting names. @throws LadingError CREDENTIALS */
export async function readNamedFile(file: string, { signal }: CallOptions): Promise<string> {
  try {
    return (await readFile(file, { encoding: 'utf8', signal })).trim();
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    throw credentialsError(file, `cannot be read (${code})`, 'Check the path and its permissions.');
  }
}

export const accessTokenSchema = z.looseObject({
  access_token: z.string().check(z.minLength(1)),
  expires_in: z.nullish(z.union([z.number(), z.string()])),
});
