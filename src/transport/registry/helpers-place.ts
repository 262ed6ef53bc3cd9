import { runCredentialHelper } from './credential-helper.js';
import type { CredentialPlace } from './credentials.js';
import { type RegistriesConfOptions, registriesConfHelpers } from './settings/registries-conf.js';

/** What stands for the files of podman and skopeo in the list. */
const filesName = 'containers-auth.json';

/**
 * The helpers that `registries.conf` names for all registries: those that it wants asked before the files of podman and
 * skopeo, or those for after them.
 */
export function helpersPlace(which: 'before' | 'after', options: RegistriesConfOptions): CredentialPlace {
  return {
    name: `credential-helpers of registries.conf, ${which} the files`,
    async look({ registry }) {
      const all = await registriesConfHelpers(options);
      const at = all.indexOf(filesName);
      const wanted = which === 'before' ? all.slice(0, at < 0 ? all.length : at) : at < 0 ? [] : all.slice(at + 1);
      if (wanted.length === 0) return 'names none';
      return wanted.map(name => ({
        entry: `docker-credential-${name}`,
        get: ({ signal }) => runCredentialHelper(name, registry, { env: options.env, signal }),
      }));
    },
  };
}
