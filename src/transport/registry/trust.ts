import type { HttpTrust } from '../http/http.js';
import { isLoopbackHost } from '../http/loopback.js';

/** Which connections may be made on behalf of one registry: over plain HTTP, or over TLS whose certificate is not checked. */
export interface Trust extends HttpTrust {
  /** Whether the registry itself may turn out to speak plain HTTP. */
  readonly lenient: boolean;
}

/**
 * Strict for everyone, except: a registry on this machine may use plain HTTP and self-made certificates, for itself
 * and for what else is on this machine; `insecure` allows both everywhere that the registry leads to.
 */
export function createTrust(registryHost: string, insecure: boolean): Trust {
  const local = isLoopbackHost(hostName(registryHost));
  const relaxed = (url: URL): boolean => insecure || (local && isLoopbackHost(url.hostname));
  return {
    lenient: insecure || local,
    allows: url => url.protocol === 'https:' || (url.protocol === 'http:' && relaxed(url)),
    verifiesTls: url => !relaxed(url),
  };
}

/** The host of `HOST[:PORT]`, in the form that `URL.hostname` has. */
function hostName(registryHost: string): string {
  try {
    return new URL(`https://${registryHost}/`).hostname;
  } catch {
    return registryHost;
  }
}
