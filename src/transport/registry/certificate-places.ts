import path from 'node:path';
import type { CertificatesOptions } from './certificates.js';
import { configFolder } from './config-folder.js';

export interface CertificatePlacesOptions {
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Where the machine's configuration is: `/etc`. Default: it is not read. */
  readonly etc?: string | undefined;
}

/** Where certificates of hosts are: the user's folders before the machine's, podman's before Docker's and containerd's. */
export function certificatePlaces({ env = {}, etc }: CertificatePlacesOptions): CertificatesOptions {
  const own = configFolder(env);
  const folders = [
    ...(own === undefined ? [] : [path.join(own, 'containers'), path.join(own, 'docker')]),
    ...(etc === undefined ? [] : ['containers', 'docker', 'containerd'].map(name => path.join(etc, name))),
  ];
  return {
    folders: folders.map(folder => path.join(folder, 'certs.d')),
    authorityFiles: [env['SSL_CERT_FILE'], env['NODE_EXTRA_CA_CERTS']].filter(
      file => file !== undefined && file !== '',
    ),
  } as CertificatesOptions;
}
