import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ioError } from '../../errors/io-error.js';
import type { ClientCertificate } from '../http/tls-settings.js';
import { credentialsError } from './credentials.js';

/** What is known of the certificates of one host. */
export interface HostCertificates {
  /** PEM. */
  readonly authorities: readonly string[];
  /** Whether an authority is named for this very host. */
  readonly named: boolean;
  readonly client?: ClientCertificate | undefined;
}

export interface CertificatesOptions {
  /** Folders with a folder for each host, as Docker and podman have them (`certs.d`); of several the first counts. */
  readonly folders: readonly string[];
  /** Files with authorities for all hosts; one that is not there says nothing, as Node and Go have it. */
  readonly authorityFiles?: readonly string[] | undefined;
}

/**
 * Certificates by host, from folders `HOST[:PORT]` with authorities (`*.crt`), and a client certificate with its key
 * (`NAME.cert`, `NAME.key`).
 * @returns what is known of a host; it throws LadingError IO, and CREDENTIALS for a certificate without its key
 */
export function hostCertificates({
  folders,
  authorityFiles = [],
}: CertificatesOptions): (host: string) => Promise<HostCertificates> {
  let forAll: Promise<readonly string[]> | undefined;
  return async host => {
    const found: HostCertificates[] = [];
    for (const folder of folders) {
      for (const name of folderNames(host)) found.push(await readHostFolder(path.join(folder, name)));
    }
    const authorities = found.flatMap(({ authorities }) => authorities);
    forAll ??= readThoseThere(authorityFiles);
    return {
      authorities: [...authorities, ...(await forAll)],
      named: authorities.length > 0,
      client: found.find(({ client }) => client !== undefined)?.client,
    };
  };
}

/** What a folder for a host may be called. Docker Hub is known by the name in references, too. */
function folderNames(host: string): readonly string[] {
  if (!/^[a-z0-9[]/i.test(host) || /[/\\]/.test(host)) return [];
  if (host === 'registry-1.docker.io') return [host, 'docker.io'];
  return /:\d+$/.test(host) ? [host] : [host, `${host}:443`];
}

async function readHostFolder(folder: string): Promise<HostCertificates> {
  const names = await namesIn(folder);
  const authorities = await Promise.all(
    names.filter(name => name.endsWith('.crt')).map(name => readPem(path.join(folder, name))),
  );
  const certificates = names.filter(name => name.endsWith('.cert'));
  for (const name of names.filter(name => name.endsWith('.key'))) {
    if (!certificates.includes(name.replace(/key$/, 'cert'))) throw incomplete(path.join(folder, name), '.cert');
  }
  const [first] = certificates;
  const client = first === undefined ? undefined : await readClientCertificate(path.join(folder, first));
  return { authorities, named: authorities.length > 0, client };
}

async function readClientCertificate(file: string): Promise<ClientCertificate> {
  const keyFile = file.replace(/cert$/, 'key');
  const [certificate, key] = await Promise.all([readPem(file), ifThere(keyFile)]);
  if (key === undefined) throw incomplete(file, '.key');
  return { certificate, key };
}

function incomplete(file: string, ending: string): Error {
  return credentialsError(file, `has no file ${ending} of the same name beside it`, 'Add it, or take this one away.');
}

async function readThoseThere(files: readonly string[]): Promise<readonly string[]> {
  return (await Promise.all(files.map(ifThere))).filter(text => text !== undefined);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isAbsent(error)) return [];
    throw ioError(error, folder);
  }
}

async function ifThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw ioError(error, file);
  }
}

/** @throws LadingError IO */
export async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw ioError(error, file);
  }
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
