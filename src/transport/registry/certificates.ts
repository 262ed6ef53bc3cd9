import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import { ioError } from '../../errors/io-error.js';
import { lazy } from '../../stream/lazy.js';
import type { ClientCertificate } from '../http/tls-settings.js';
import { credentialsError } from './credentials.js';

/** What is named for one host. */
export interface HostCertificates {
  /** PEM. */
  readonly authorities: readonly string[];
  readonly client?: ClientCertificate | undefined;
}

/** Certificates as they are known to the user and the machine: each is read when it is asked for. */
export interface Certificates {
  /** Of `HOST[:PORT]`. @throws LadingError IO; CREDENTIALS for a file that holds none, and for a certificate without its key */
  ofHost(host: string): Promise<HostCertificates>;
  /** Authorities that are trusted whoever is asked, PEM. @throws LadingError IO */
  forAll(): Promise<readonly string[]>;
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
 */
export function openCertificates({ folders, authorityFiles = [] }: CertificatesOptions): Certificates {
  return {
    async ofHost(host) {
      const found: HostCertificates[] = [];
      for (const folder of folders) {
        for (const name of folderNames(host)) found.push(await readHostFolder(path.join(folder, name)));
      }
      return {
        authorities: found.flatMap(({ authorities }) => authorities),
        client: found.find(({ client }) => client !== undefined)?.client,
      };
    },
    forAll: lazy(() => readThoseThere(authorityFiles)),
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
    names.filter(name => name.endsWith('.crt')).map(name => readAuthorities(path.join(folder, name))),
  );
  const certificates = names.filter(name => name.endsWith('.cert'));
  for (const name of names.filter(name => name.endsWith('.key'))) {
    if (!certificates.includes(name.replace(/key$/, 'cert'))) throw incomplete(path.join(folder, name), '.cert');
  }
  const [first] = certificates;
  const client = first === undefined ? undefined : await clientIn(path.join(folder, first));
  return { authorities, client };
}

async function clientIn(file: string): Promise<ClientCertificate> {
  const keyFile = file.replace(/cert$/, 'key');
  if ((await ifThere(keyFile)) === undefined) throw incomplete(file, '.key');
  return readClientCertificate(file, keyFile);
}

/** @throws LadingError IO; CREDENTIALS when they are no certificate and its key */
export async function readClientCertificate(file: string, keyFile: string): Promise<ClientCertificate> {
  const [certificate, key] = await Promise.all([readText(file), readText(keyFile)]);
  try {
    createSecureContext({ cert: certificate, key });
  } catch {
    // What OpenSSL says names no file, and may show a part of one.
    throw credentialsError(
      file,
      `is no certificate in PEM whose key is in ${keyFile}`,
      'Convert or replace the files.',
    );
  }
  return { certificate, key };
}

/** @throws LadingError IO; CREDENTIALS when there is no certificate in it, which Node would pass over without a word */
export async function readAuthorities(file: string): Promise<string> {
  const text = await readText(file);
  if (/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/.test(text)) return text;
  throw credentialsError(file, 'holds no certificate in PEM', 'Convert it: openssl x509 -inform der -in FILE.');
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

async function readText(file: string): Promise<string> {
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
