import { LadingError } from '../../errors/errors.js';
import { parseReference } from '../../oci/reference.js';
import type { CallOptions } from '../../stream/bytes.js';
import { connectionTo, type RegistryAccessOptions, routeTo } from './access.js';
import { checkLogin } from './check-login.js';
import { loginFile } from './credential-places.js';
import { isSecretText, isUserName } from './credentials.js';
import { type CredentialExplanation, explainCredentials, type PlaceReport } from './explain-credentials.js';
import { type LoginTarget, removeLogins, storeLogin } from './login-file.js';
import { placesOf } from './registry-credentials.js';

export interface LoginOptions extends CallOptions {
  readonly username: string;
  readonly password: string;
  readonly registry?: RegistryAccessOptions | undefined;
}

export interface Login {
  /** `ghcr.io`, `ghcr.io/team`. */
  readonly name: string;
  /** The file that says where the password is. */
  readonly file: string;
  /** The program that keeps the password, if one does. */
  readonly helper?: string | undefined;
  /** Whether the registry was asked; some ask nobody who they are. */
  readonly checked: boolean;
  /** A place that is looked at earlier and has something else, and what that is. */
  readonly shadowedBy?: PlaceReport | undefined;
}

/**
 * Keeps a password for a registry, or for a part of it (`ghcr.io/team`), once the registry has taken it.
 * @throws LadingError AUTH_FAILED, REGISTRY_UNREACHABLE, CREDENTIALS, IO, USAGE
 */
export async function login(name: string, options: LoginOptions): Promise<Login> {
  const { username, password, registry = {}, signal } = options;
  const target = parseTarget(name);
  if (!isUserName(username)) throw misuse('that is not the name of a user');
  if (!isSecretText(password)) throw misuse('that is not a password');
  const file = fileFor(target, registry);
  const connection = await connectionTo(target.registry, registry);
  const checked = await checkLogin(
    target.registry,
    { kind: 'password', username, password },
    { ...connection, signal },
  );
  const { env = {} } = registry;
  const helper = await storeLogin(file, target, { username, password }, { env, signal });
  const { registry: host, namespace: repository } = target;
  const { places } = await explainCredentials(placesOf(registry), { registry: host, repository }, { signal });
  const first = places.find(({ result }) => result !== 'nothing');
  return {
    name: nameOf(target),
    file,
    checked,
    ...(helper === undefined ? {} : { helper }),
    ...(first === undefined || first.place === file ? {} : { shadowedBy: first }),
  };
}

export interface Logout {
  readonly file: string;
  /** What was in the file, as it is called there. */
  readonly removed: readonly string[];
  /** A place where there are still credentials, and which those are. */
  readonly remaining?: PlaceReport | undefined;
}

export interface LogoutOptions extends CallOptions {
  readonly registry?: RegistryAccessOptions | undefined;
}

/**
 * Takes the credentials of a registry, of a part of one, or `all` out of the file that a login writes to.
 * @throws LadingError CREDENTIALS, IO, USAGE
 */
export async function logout(
  name: string | { readonly all: true },
  { registry = {}, signal }: LogoutOptions = {},
): Promise<Logout> {
  const target = typeof name === 'string' ? parseTarget(name) : 'all';
  const file = fileFor(target === 'all' ? { registry: '' } : target, registry);
  const removed = await removeLogins(file, target, { env: registry.env ?? {}, signal });
  if (target === 'all') return { file, removed };
  const { registry: host, namespace: repository } = target;
  const { places } = await explainCredentials(placesOf(registry), { registry: host, repository }, { signal });
  const remaining = places.find(({ result }) => result === 'used');
  return { file, removed, ...(remaining === undefined ? {} : { remaining }) };
}

/**
 * Which credentials an image is asked for with, and why those: every place in its order, without secrets.
 * @throws LadingError INVALID_VALUE
 */
export async function explainLogin(
  reference: string,
  { registry: access = {}, signal }: LogoutOptions = {},
): Promise<CredentialExplanation> {
  // What counts is where the image is, whatever it is called.
  const { registry, repository } = await routeTo(parseReference(reference), access, 'read');
  return await explainCredentials(placesOf(access), { registry, repository }, { signal });
}

/** A host as in a reference, with or without a part of it; addresses as other tools take them, too. */
function parseTarget(text: string): LoginTarget {
  const name = text.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '');
  const [host = ''] = name.split('/');
  if (!/[.:]|^localhost$/.test(host)) {
    throw misuse(`${JSON.stringify(text)} is not the name of a registry`);
  }
  const { registry, repository } = parseReference(`${name}/x/x`);
  const namespace = repository.replace(/(?:^|\/)x\/x$/, '');
  return namespace === '' ? { registry } : { registry, namespace };
}

function nameOf({ registry, namespace }: LoginTarget): string {
  return namespace === undefined ? registry : `${registry}/${namespace}`;
}

function fileFor({ namespace }: LoginTarget, registry: RegistryAccessOptions): string {
  const file = loginFile(registry, namespace !== undefined);
  if (file === undefined) throw misuse('there is no file to keep credentials in', 'Name one with --authfile.');
  return file;
}

function misuse(message: string, hint?: string): LadingError<'USAGE'> {
  return new LadingError('USAGE', message, { details: {}, hint });
}
