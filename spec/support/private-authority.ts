import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './programs.js';

export interface PrivateAuthority {
  /** The file with its certificate. */
  readonly certificate: string;
  /** Makes a certificate, with its key, in files. `names` is as in `subjectAltName`: `IP:127.0.0.1,DNS:a.example`. */
  issue(name: string, names: string): Promise<{ readonly certificate: string; readonly key: string }>;
}

/** An authority that nobody knows, made by openssl in a folder. */
export async function privateAuthority(folder: string): Promise<PrivateAuthority> {
  const at = (name: string): string => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl(
    ...['req', '-x509', ...newKey, '-keyout', at('ca.key'), '-out', at('ca.crt'), '-days', '30'],
    ...['-subj', '/CN=authority of the tests', '-addext', 'basicConstraints=critical,CA:TRUE'],
  );
  return {
    certificate: at('ca.crt'),
    async issue(name, names) {
      const [key, request, certificate] = ['key', 'csr', 'pem'].map(ending => at(`${name}.${ending}`));
      await openssl('req', '-new', ...newKey, '-keyout', key!, '-out', request!, '-subj', `/CN=${name}`);
      await writeFile(at(`${name}.ext`), `subjectAltName=${names}\n`);
      await openssl(
        ...['x509', '-req', '-in', request!, '-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial'],
        ...['-out', certificate!, '-days', '30', '-extfile', at(`${name}.ext`)],
      );
      return { certificate: certificate!, key: key! };
    },
  };

  async function openssl(...args: string[]): Promise<void> {
    await runProgram('openssl', args);
  }
}

/** The bytes of a certificate as a token names it. */
export async function derOf(certificate: string): Promise<string> {
  return (await readFile(certificate, 'utf8')).replace(/-----[^-]+-----|\s/g, '');
}
