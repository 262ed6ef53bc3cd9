import { type CredentialPlacesOptions, credentialPlaces } from './credential-places.js';
import { type CredentialPlace, type CredentialSource, credentialsFrom } from './credentials.js';

export interface RegistryCredentialsOptions extends CredentialPlacesOptions {
  /** Where credential helpers are looked for, instead of the `PATH` of `env`. */
  readonly helperPath?: string | undefined;
  /** Instead of all places: who knows the credentials. */
  readonly credentials?: CredentialSource | undefined;
}

/** Who knows the credentials for registries, by the options of a caller. */
export function registryCredentials(options: RegistryCredentialsOptions): CredentialSource {
  return options.credentials ?? credentialsFrom(placesOf(options));
}

/** Where credentials are looked for when nobody gives them. */
export function placesOf({ authFile, env, helperPath }: RegistryCredentialsOptions): readonly CredentialPlace[] {
  return credentialPlaces({ authFile, env: helperPath === undefined ? env : { ...env, PATH: helperPath } });
}
