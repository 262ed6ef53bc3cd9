import { randomUUID } from 'node:crypto';
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { ioError } from '../../errors/io-error.js';
import { FileLock } from '../../store/file-lock.js';
import type { CallOptions } from '../../stream/bytes.js';
import { type AuthFile, helperFor, hubHosts, parseAuthFile, readAuthFile, serverKey } from './auth-file.js';
import { eraseFromHelper, storeInHelper } from './credential-helper.js';

/** What one logs in to: a registry, or a part of it. */
export interface LoginTarget {
  readonly registry: string;
  /** `team`, `team/app`. */
  readonly namespace?: string | undefined;
}

export interface LoginFileOptions extends CallOptions {
  /** What helpers run with. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Keeps a password in a file of credentials, or with the helper that the file names.
 * @returns the program that keeps it, if one does
 * @throws LadingError CREDENTIALS, IO
 */
export async function storeLogin(
  file: string,
  target: LoginTarget,
  login: { readonly username: string; readonly password: string },
  options: LoginFileOptions,
): Promise<string | undefined> {
  return await changeFile(file, options, async content => {
    const helper = target.namespace === undefined ? helperFor(content, target.registry) : undefined;
    if (helper !== undefined) await storeInHelper(helper.name, serverKey(target.registry), login, options);
    const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');
    // With a helper the entry only says that there is something to log out of.
    const entry = helper === undefined ? { auth } : {};
    const changed = { ...content, auths: { ...content.auths, [keyOf(target)]: entry } };
    return { changed, result: helper && `docker-credential-${helper.name}` };
  });
}

/**
 * Takes the credentials of a registry, of a part of one, or of all out of a file, and out of helpers.
 * @returns the keys of what was there
 * @throws LadingError CREDENTIALS, IO
 */
export async function removeLogins(
  file: string,
  target: LoginTarget | 'all',
  options: LoginFileOptions,
): Promise<readonly string[]> {
  return await changeFile(file, options, async content => {
    const known = Object.keys(content.auths ?? {});
    const keys = target === 'all' ? known : known.filter(key => keysOf(target).includes(key));
    const servers = target === 'all' ? [...known, ...Object.keys(content.credHelpers ?? {})] : [keyOf(target)];
    for (const server of new Set(servers)) {
      if (target !== 'all' && target.namespace !== undefined) continue;
      const helper = helperFor(content, server === serverKey('docker.io') ? 'docker.io' : server);
      if (helper !== undefined) await eraseFromHelper(helper.name, server, options);
    }
    const auths = Object.fromEntries(Object.entries(content.auths ?? {}).filter(([key]) => !keys.includes(key)));
    return { changed: keys.length === 0 ? content : { ...content, auths }, result: keys };
  });
}

function keyOf({ registry, namespace }: LoginTarget): string {
  return namespace === undefined ? serverKey(registry) : `${registry}/${namespace}`;
}

/** Also the older forms that are read. */
function keysOf(target: LoginTarget): readonly string[] {
  const key = keyOf(target);
  if (target.namespace !== undefined) return [key];
  const hosts = target.registry === 'docker.io' ? hubHosts : [target.registry];
  const forms = hosts.flatMap(host => [
    host,
    ...['http', 'https'].flatMap(scheme =>
      ['', '/', '/v1', '/v1/', '/v2', '/v2/'].map(end => `${scheme}://${host}${end}`),
    ),
  ]);
  return [key, ...forms];
}

/** Changes a file in one step; whoever reads it sees all of the old or all of the new. It is for its owner alone. */
async function changeFile<T>(
  named: string,
  { signal }: CallOptions,
  change: (content: AuthFile) => Promise<{ readonly changed: AuthFile; readonly result: T }>,
): Promise<T> {
  try {
    // A link stays one: what it leads to is changed.
    const file = await realpath(named).catch(() => path.resolve(named));
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    return await new FileLock(`${file}.lock`).hold(
      async () => {
        const bytes = await readAuthFile(file, signal);
        const content = bytes === undefined ? {} : parseAuthFile(bytes, file);
        const { changed, result } = await change(content);
        if (changed !== content) await replace(file, `${JSON.stringify(changed, undefined, '\t')}\n`);
        return result;
      },
      { signal },
    );
  } catch (error) {
    throw ioError(error, named);
  }
}

async function replace(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
