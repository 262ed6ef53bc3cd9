import type { CallOptions } from '../../stream/bytes.js';
import { type ConnectionOptions, RegistryConnection } from './connection.js';
import type { Credential } from './credentials.js';
import { responseError } from './failure.js';

/**
 * Asks a registry whether it takes a credential.
 * @returns false when it does not ask who is there, so that nothing is known
 * @throws LadingError AUTH_FAILED, REGISTRY_UNREACHABLE, REGISTRY_PROTOCOL, REGISTRY_RESPONSE
 */
export async function checkLogin(
  registry: string,
  credential: Credential,
  { signal, ...options }: Omit<ConnectionOptions, 'credentials'> & CallOptions,
): Promise<boolean> {
  let asked = false;
  const credentials = {
    get: async () => {
      asked = true;
      return credential;
    },
  };
  const connection = new RegistryConnection(registry, { ...options, credentials });
  try {
    const response = await connection.send({ method: 'GET', url: '/v2/', scopes: [], signal });
    if (response.status !== 200) throw await responseError(response, `cannot log in to ${registry}`);
    response.discard();
    return asked;
  } finally {
    await connection.close();
  }
}
