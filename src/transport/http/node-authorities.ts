import tls from 'node:tls';

/**
 * The authorities that Node trusts by itself, as PEM: with those of `NODE_EXTRA_CA_CERTS` where Node tells (22.15), else
 * its own alone.
 */
export function nodeAuthorities(): readonly string[] {
  const { getCACertificates } = tls as { readonly getCACertificates?: (type: 'default') => string[] };
  return getCACertificates?.('default') ?? tls.rootCertificates;
}
