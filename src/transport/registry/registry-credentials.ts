import { type CredentialPlacesOptions, credentialPlaces } from './credential-places.js';
import { type CredentialPlace, type CredentialSource, credentialsFrom } from './credentials.js';
import type { CloudOptions } from './providers/cloud.js';
import { providerPlaces } from './providers/provider-places.js';

export interface RegistryCredentialsOptions extends CredentialPlacesOptions, Omit<CloudOptions, 'env'> {
  /** Where credential helpers are looked for, instead of the `PATH` of `env`. */
  readonly helperPath?: string | undefined;
  /** Instead of all places: who knows the credentials. */
  readonly credentials?: CredentialSource | undefined;
}

/** Who knows the credentials for registries, by the options of a caller. */
export function registryCredentials(options: RegistryCredentialsOptions): CredentialSource {
  return options.credentials ?? credentialsFrom(placesOf(options));
}

/** Where credentials are looked for when nobody gives them: in files, then with services that the environment knows of. */
export function placesOf(options: RegistryCredentialsOptions): readonly CredentialPlace[] {
  const { authFile, helperPath, env, etc } = options;
  const files = credentialPlaces({ authFile, etc, env: helperPath === undefined ? env : { ...env, PATH: helperPath } });
  return authFile !== undefined || env === undefined ? files : [...files, ...providerPlaces({ ...options, env })];
}
