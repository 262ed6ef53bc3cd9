import { lazy } from '../../stream/lazy.js';
import type { HttpTrust } from '../http/http.js';
import { isLoopbackHost } from '../http/loopback.js';
import type { TlsSettings } from '../http/tls-settings.js';
import type { Certificates } from './certificates.js';

/** Which connections may be made on behalf of one registry: over plain HTTP, or over TLS whose certificate is not checked. */
export interface Trust extends HttpTrust {
  /** Whether the registry itself may turn out to speak plain HTTP. */
  readonly lenient: boolean;
}

export interface TrustOptions {
  /** Both are allowed everywhere that the registry leads to. */
  readonly insecure?: boolean | undefined;
  /** `http` is allowed for the registry itself. */
  readonly scheme?: 'http' | 'https' | undefined;
  readonly certificates?: Certificates | undefined;
}

/**
 * Strict for everyone, except: a registry on this machine may use plain HTTP and self-made certificates, for itself
 * and for what else is on this machine, unless its authority is known. The authorities of a registry are good for the
 * hosts that it leads to; its client certificate is shown to itself alone.
 */
export function createTrust(registryHost: string, options: TrustOptions = {}): Trust {
  const { insecure = false, scheme, certificates } = options;
  const local = isLoopbackHost(hostName(registryHost));
  const relaxed = (url: URL): boolean => insecure || (local && isLoopbackHost(url.hostname));
  const known = new Map<string, Promise<TlsSettings>>();

  const ofRegistry = lazy(async () => certificates?.ofHost(registryHost));

  async function settings(url: URL): Promise<TlsSettings> {
    const own = url.host === registryHost ? await ofRegistry() : await certificates?.ofHost(url.host);
    const named = [...(own?.authorities ?? []), ...((await ofRegistry())?.authorities ?? [])];
    const verify = !insecure && (named.length > 0 || !relaxed(url));
    const authorities = verify ? [...new Set([...named, ...((await certificates?.forAll()) ?? [])])] : [];
    return { verify, authorities, client: own?.client };
  }

  return {
    lenient: insecure || local,
    allows: url =>
      url.protocol === 'https:' ||
      (url.protocol === 'http:' && (relaxed(url) || (scheme === 'http' && url.host === registryHost))),
    tls: url => {
      const kept = known.get(url.host) ?? settings(url);
      known.set(url.host, kept);
      return kept;
    },
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
