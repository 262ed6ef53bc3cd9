import { hubHosts } from './auth-file.js';
import { type Credential, type CredentialPlace, credentialsError, isSecretText, isUserName } from './credentials.js';
import { printable } from './failure.js';
import { hostToVariable, variableToHost } from './host-variable.js';

type Env = Readonly<Record<string, string | undefined>>;

const prefix = 'LADING_AUTH_';
const parts = ['USERNAME', 'PASSWORD', 'IDENTITY_TOKEN'] as const;
const pairHint = 'Set what belongs together, or nothing of it. A secret that CI keeps from a job is empty there.';

/**
 * Variables for exactly one registry: `LADING_AUTH_GHCR_IO_USERNAME` with `LADING_AUTH_GHCR_IO_PASSWORD`, or
 * `LADING_AUTH_GHCR_IO_IDENTITY_TOKEN`. As everywhere an empty one counts as not set.
 */
export function variablesPlace(env: Env): CredentialPlace {
  return {
    name: `${prefix}*`,
    async look({ registry }) {
      const hosts = registry === 'docker.io' ? hubHosts : [registry];
      const names = hosts.flatMap(host => hostToVariable(host) ?? []).map(host => `${prefix}${host}`);
      const [first] = names;
      refuseOthers(env, first ?? `${prefix}GHCR_IO`);
      if (first === undefined) return `cannot name ${registry}`;
      const name = names.find(name => parts.some(part => env[`${name}_${part}`]));
      if (name === undefined) return nothing(env, first);
      const entry = parts.map(part => `${name}_${part}`).filter(variable => env[variable]);
      const credential = credentialOf(env, name);
      return [{ entry: entry.join(', '), get: async () => credential }];
    },
  };
}

/** What looks like one of ours and is none was meant for a registry, and nobody can say for which. */
function refuseOthers(env: Env, example: string): void {
  const other = Object.keys(env)
    .sort()
    .find(name => env[name] && /^LADING_AUTH_/i.test(name) && !isOurs(name));
  if (other === undefined) return;
  const problem = `is not the name of a variable for a registry, as ${example}_PASSWORD is`;
  const hint = `The host is in capitals, with _ for a dot, __ for a hyphen and ___ for the colon before a port; behind it is ${parts.map(part => `_${part}`).join(', ')}.`;
  throw credentialsError(printable(other, 300), problem, hint);
}

function isOurs(name: string): boolean {
  const part = parts.find(part => name.endsWith(`_${part}`));
  return (
    part !== undefined &&
    name.startsWith(prefix) &&
    variableToHost(name.slice(prefix.length, -part.length - 1)) !== undefined
  );
}

function nothing(env: Env, name: string): string {
  const [, password, token] = parts.map(part => `${name}_${part}`);
  const empty = parts.map(part => `${name}_${part}`).filter(variable => env[variable] === '');
  return empty.length > 0 ? `empty: ${empty.join(', ')}` : `neither ${password} nor ${token} is set`;
}

/** @throws LadingError CREDENTIALS for half of a pair, for both ways at once, and for what cannot be sent */
function credentialOf(env: Env, name: string): Credential {
  const [username, password, token] = parts.map(part => env[`${name}_${part}`] || undefined);
  const fail = (part: (typeof parts)[number], problem: string): Error =>
    credentialsError(`${name}_${part}`, problem, pairHint);
  const without = (part: (typeof parts)[number]): string =>
    `has a value, but ${name}_${part} ${env[`${name}_${part}`] === '' ? 'is empty' : 'is not set'}`;
  if (username !== undefined && !isUserName(username)) throw fail('USERNAME', 'is not the name of a user');
  if (password !== undefined && !isSecretText(password)) throw fail('PASSWORD', 'holds a control character');
  if (token !== undefined && !isSecretText(token)) throw fail('IDENTITY_TOKEN', 'holds a control character');
  if (token !== undefined) {
    if (password !== undefined) throw fail('IDENTITY_TOKEN', `has a value, but ${name}_PASSWORD has one, too`);
    return { kind: 'identity', token, ...(username === undefined ? {} : { username }) };
  }
  if (username === undefined) throw fail('PASSWORD', without('USERNAME'));
  if (password === undefined) throw fail('USERNAME', without('PASSWORD'));
  return { kind: 'password', username, password };
}
