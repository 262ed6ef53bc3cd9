/** What the system calls a failure: the code of the error, or of the nearest cause that has one. */
export function networkCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if ('code' in at && typeof at.code === 'string') return at.code;
    if (at instanceof AggregateError && at.errors[0] instanceof Error) return networkCode(at.errors[0]);
  }
  return undefined;
}

/** What went wrong between us and a proxy, or behind it. */
export class ProxyError extends Error {
  constructor(proxy: string, cause: unknown) {
    super(`through the proxy ${proxy}`, { cause });
  }
}

const passing = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_SOCKET',
  // Over HTTP/2, which agents of others may speak: a stream that was refused, or broke off.
  'ERR_HTTP2_STREAM_ERROR',
  'ERR_HTTP2_SESSION_ERROR',
  'ERR_HTTP2_GOAWAY_SESSION',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** Whether the same request may well succeed a moment later. */
export function isPassing(error: unknown): boolean {
  return passing.has(networkCode(error) ?? '');
}

/** Whether the other side took too long, which means that trying again takes long too. */
export function isTimeout(error: unknown): boolean {
  return /TIMEOUT|ETIMEDOUT/.test(networkCode(error) ?? '');
}

/** Whether the other side speaks TLS, and one of the two does not trust the other's certificate. */
export function isCertificateFailure(error: unknown): boolean {
  return /CERT|SELF_SIGNED|VERIFY|ISSUER|ALTNAME/.test(networkCode(error) ?? '');
}

/** Whether the other side speaks TLS, and behind it nothing that we speak. */
export function isApplicationProtocolFailure(error: unknown): boolean {
  return /ALERT_NO_APPLICATION_PROTOCOL/.test(networkCode(error) ?? '');
}
