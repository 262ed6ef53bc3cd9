import type { Readable } from 'node:stream';
import { isLadingError, LadingError } from '../../errors/errors.js';
import { redactText, redactUrl } from '../../errors/redact.js';
import { readCapped } from '../../stream/read-capped.js';
import type { HttpFailures, HttpResponse } from '../http/http.js';
import { isApplicationProtocolFailure, isCertificateFailure, networkCode } from '../http/network-error.js';

/** The most of an error body that is read. */
const errorBodyLimit = 64 * 1024;

/** Reads what the registry says about a request that it refused, and makes the error of it. Consumes the body. */
export async function responseError(response: HttpResponse, what: string): Promise<LadingError> {
  const errors = await readErrors(response.body);
  const { status, method } = response;
  const url = redactUrl(response.url);
  const said = errors[0] ? `: ${errors[0].code ? `${errors[0].code} ` : ''}${errors[0].message}` : '';
  const hint = statusHint(response, errors);
  if (status === 401) {
    return new LadingError('AUTH_FAILED', `${what}: ${response.url.host} asks for other credentials${said}`, {
      details: { registry: response.url.host, status },
      hint,
    });
  }
  return new LadingError('REGISTRY_RESPONSE', `${what}: ${response.url.host} answered ${status}${said}`, {
    details: { status, method, url, errors },
    hint,
  });
}

/** What it means that something was not deleted: many registries do not, or not this way. Consumes the body. */
export async function deletionError(response: HttpResponse, name: string): Promise<LadingError> {
  const { status } = response;
  if (status === 404) {
    response.discard();
    return new LadingError('REFERENCE_NOT_FOUND', `${name} is not in the registry`, { details: { reference: name } });
  }
  const refused = await responseError(response, `cannot delete ${name}`);
  if (status !== 405 && status !== 400 && status !== 501) return refused;
  return new LadingError('UNSUPPORTED', refused.message, {
    details: { feature: 'deletion' },
    hint: name.includes('@')
      ? 'The registry does not delete over its interface, or is set up not to.'
      : 'Many registries delete manifests by digest only, and with them all their tags: give NAME@DIGEST.',
    cause: refused,
  });
}

type RegistryErrors = ReadonlyArray<{ readonly code: string; readonly message: string }>;

/** Whether a registry refuses to give a tag to another manifest. Each says so in a way of its own. */
export function isImmutableTag(error: unknown): error is LadingError<'REGISTRY_RESPONSE'> {
  return isLadingError(error, 'REGISTRY_RESPONSE') && saysImmutable(error.details.errors);
}

function saysImmutable(errors: RegistryErrors): boolean {
  return errors.some(({ code, message }) =>
    /immutab|TagAlreadyExists|cannot be overwritten/i.test(`${code} ${message}`),
  );
}

function statusHint(response: HttpResponse, errors: RegistryErrors): string | undefined {
  const { status, url, method } = response;
  if (saysImmutable(errors)) return 'Tags cannot be changed there once they are given; push under another tag.';
  switch (status) {
    case 401:
      return `Log in with "lading login ${url.host.replace(/^registry-1\.(?=docker\.io$)/, '')}" (logins of Docker, podman and skopeo count, too), or check that the name is right: many registries hide what is not there behind this answer.`;
    case 403:
      return 'The credentials are good but do not allow this; ask the owner of the repository for the right.';
    case 404:
      if (errors.some(error => error.code === 'BLOB_UPLOAD_UNKNOWN'))
        return 'The registry forgot the upload; try again.';
      return method === 'POST' || errors.some(({ code }) => /NAME_UNKNOWN|RepositoryNotFound/.test(code))
        ? repositoryHint
        : 'Check the name of the registry, the repository and the tag.';
    case 413:
      return 'The registry, or a proxy before it, limits the size of uploads.';
    case 429: {
      const after = response.header('retry-after');
      return `The registry limits the rate of requests; try again ${/^\d{1,6}$/.test(after ?? '') ? `in ${after} seconds` : 'later'}, or log in for a higher limit.`;
    }
    default:
      if (status === 400 && url.protocol === 'http:') return 'The registry may want HTTPS.';
      return status >= 500 ? 'The registry has a problem of its own; try again later.' : undefined;
  }
}

/** For ECR and others, which want to be told of a repository before anything is pushed to it. */
export const repositoryHint =
  'Check the name. Some registries do not make a repository on the first push: create it there (with ECR, by "aws ecr create-repository --repository-name NAME").';

/** What an error body says, if it says anything that can be read. Consumes the body. */
export async function readErrors(body: Readable): Promise<RegistryErrors> {
  try {
    const text = (await readCapped(body, errorBodyLimit, 'error body')).toString('utf8');
    const parsed = JSON.parse(text) as { readonly errors?: unknown };
    if (!Array.isArray(parsed?.errors)) return [];
    return parsed.errors.slice(0, 10).map((error: unknown) => {
      const { code, message } = (error ?? {}) as Record<string, unknown>;
      return { code: printable(code, 64), message: printable(message, 500) };
    });
  } catch {
    // Not JSON, too long or cut off: the status alone has to do.
    return [];
  } finally {
    body.destroy();
  }
}

/** Text from elsewhere, fit for a terminal: no control characters, no secret, no end of the world in length. */
export function printable(value: unknown, limit: number): string {
  if (typeof value !== 'string') return '';
  return redactText(value.slice(0, 4 * limit).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')).slice(
    0,
    limit,
  );
}

export function authFailed(registry: string, status: number | undefined, said: string): LadingError<'AUTH_FAILED'> {
  return new LadingError('AUTH_FAILED', `${registry} refuses the credentials${said && `: ${said}`}`, {
    details: { registry, status },
    hint: `Log in with "lading login ${registry}"; "lading auth explain" tells which credentials were sent.`,
  });
}

export function unreachable(url: URL, error: unknown): LadingError {
  const code = networkCode(error) ?? '';
  // The messages of TLS failures repeat what the other side sent; the code says enough.
  const reason = code || 'the connection failed';
  return new LadingError('REGISTRY_UNREACHABLE', `cannot reach ${url.host}: ${reason}`, {
    details: { url: redactUrl(url) },
    hint: unreachableHint(url, code, error),
    cause: error,
  });
}

function unreachableHint(url: URL, code: string, error: unknown): string | undefined {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `There is no host ${url.hostname}; check the name and the network.`;
  if (code === 'ECONNREFUSED') return `Nothing listens at ${url.host}; check the port and that the registry runs.`;
  if (code.includes('TIMEOUT') || code === 'ETIMEDOUT')
    return 'The registry does not answer in time; check the network.';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG' || code === 'EPROTO') {
    return `${url.host} does not speak TLS; when it is meant to use plain HTTP, allow it with --insecure.`;
  }
  if (isApplicationProtocolFailure(error)) {
    return `${url.host} does not speak HTTP/1.1. HTTP/2 alone is not spoken here: put a proxy before it that speaks both.`;
  }
  if (isCertificateFailure(error)) {
    return `The certificate is not trusted. Put its authority into ~/.config/containers/certs.d/${url.host}/ca.crt, or go without checking it with --insecure.`;
  }
  return undefined;
}

export function protocolError(url: URL | string, problem: string, hint?: string): LadingError<'REGISTRY_PROTOCOL'> {
  const shown = redactUrl(url);
  return new LadingError('REGISTRY_PROTOCOL', `${shown}: ${problem}`, { details: { url: shown, problem }, hint });
}

function disallowed(url: URL): LadingError<'REGISTRY_PROTOCOL'> {
  if (url.protocol !== 'http:') return protocolError(url, 'not an address of the web');
  const hint = 'When the registry and its network are trusted, allow it with --insecure.';
  return protocolError(url, 'plain HTTP is not allowed', hint);
}

export const registryFailures: HttpFailures = { unreachable, protocol: protocolError, disallowed };
