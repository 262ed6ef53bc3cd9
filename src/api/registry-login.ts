import type { CredentialExplanation } from '../transport/registry/explain-credentials.js';
import type { Login, LoginOptions, Logout, LogoutOptions } from '../transport/registry/login.js';

export type { CredentialExplanation, PlaceReport } from '../transport/registry/explain-credentials.js';
export type { Login, LoginOptions, Logout, LogoutOptions } from '../transport/registry/login.js';

/**
 * Keeps a password for a registry, or for a part of it (`ghcr.io/team`), once the registry has taken it.
 * @throws LadingError AUTH_FAILED, REGISTRY_UNREACHABLE, CREDENTIALS, IO, USAGE
 */
export async function login(name: string, options: LoginOptions): Promise<Login> {
  return await (await import('../transport/registry/login.js')).login(name, options);
}

/**
 * Takes the credentials of a registry, of a part of one, or all out of the file that a login writes to.
 * @throws LadingError CREDENTIALS, IO, USAGE
 */
export async function logout(name: string | { readonly all: true }, options?: LogoutOptions): Promise<Logout> {
  return await (await import('../transport/registry/login.js')).logout(name, options);
}

/**
 * Which credentials an image is asked for with, and why those: every place in its order, without secrets.
 * @throws LadingError INVALID_VALUE
 */
export async function explainLogin(reference: string, options?: LogoutOptions): Promise<CredentialExplanation> {
  return await (await import('../transport/registry/login.js')).explainLogin(reference, options);
}
