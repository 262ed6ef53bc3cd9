/** How TLS is spoken to one host. */
export interface TlsSettings {
  /** Whether the certificate of the host is checked. */
  readonly verify: boolean;
  /** Authorities that are trusted beside those that Node knows, as PEM. */
  readonly authorities?: readonly string[] | undefined;
  /** What the host is shown when it asks who is there, as PEM. */
  readonly client?: ClientCertificate | undefined;
}

export interface ClientCertificate {
  readonly certificate: string;
  readonly key: string;
}
