import { createHash } from 'node:crypto';

export interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** What a registry looks at in a manifest. */
interface ManifestText {
  readonly artifactType?: string;
  readonly annotations?: object;
  readonly config?: { readonly mediaType: string };
  readonly subject?: { readonly digest: string };
}

interface Repository {
  readonly blobs: Set<string>;
  readonly manifests: Map<string, StoredManifest>;
  readonly tags: Map<string, string>;
}

interface Upload {
  readonly repository: string;
  chunks: Buffer[];
  size: number;
  /** Grows with every piece, so that a client that keeps an old address is found out. */
  state: number;
}

/** A refusal in the form of the distribution specification. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message = code.toLowerCase().replaceAll('_', ' ')) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** What an in-memory registry holds, by the rules of the distribution specification; knows nothing of HTTP. */
export class RegistryContent {
  readonly #blobs = new Map<string, Buffer>();
  readonly #repositories = new Map<string, Repository>();
  readonly #uploads = new Map<string, Upload>();
  #nextUpload = 1;

  /** Uploads that were begun and neither finished nor cancelled. */
  get openUploads(): number {
    return this.#uploads.size;
  }

  blob(name: string, digest: string): Buffer | undefined {
    return this.#repositories.get(name)?.blobs.has(digest) ? this.#blobs.get(digest) : undefined;
  }

  blobs(name: string): readonly string[] {
    return [...(this.#repositories.get(name)?.blobs ?? [])].sort();
  }

  manifest(name: string, reference: string): (StoredManifest & { readonly digest: string }) | undefined {
    const repository = this.#repositories.get(name);
    const digest = repository?.tags.get(reference) ?? reference;
    const manifest = repository?.manifests.get(digest);
    return manifest && { ...manifest, digest };
  }

  tags(name: string): readonly string[] | undefined {
    const repository = this.#repositories.get(name);
    return repository && [...repository.tags.keys()].sort();
  }

  /** Whether anything was ever put there. */
  hasRepository(name: string): boolean {
    return this.#repositories.has(name);
  }

  createRepository(name: string): void {
    this.#repository(name);
  }

  repositories(): readonly string[] {
    return [...this.#repositories.keys()].sort();
  }

  /** Descriptors of the manifests with this subject, in the order in which they came. */
  referrers(name: string, subject: string): ReadonlyArray<Readonly<Record<string, unknown>>> {
    const manifests = [...(this.#repositories.get(name)?.manifests ?? [])];
    return manifests.flatMap(([digest, { mediaType, bytes }]) => {
      const document = JSON.parse(bytes.toString('utf8')) as ManifestText;
      if (document.subject?.digest !== subject) return [];
      const artifactType = document.artifactType ?? document.config?.mediaType;
      const { annotations } = document;
      return [
        {
          ...{ mediaType, digest, size: bytes.length },
          ...(artifactType === undefined ? {} : { artifactType }),
          ...(annotations === undefined ? {} : { annotations }),
        },
      ];
    });
  }

  putBlob(name: string, bytes: Buffer, digest = sha256(bytes)): string {
    if (hashFor(digest, bytes) !== digest) throw new Refusal(400, 'DIGEST_INVALID');
    this.#blobs.set(digest, bytes);
    this.#repository(name).blobs.add(digest);
    return digest;
  }

  /** As a client puts it: what it names must be there. */
  putManifest(name: string, reference: string, mediaType: string, bytes: Buffer): string {
    const byDigest = reference.includes(':');
    const digest = byDigest ? hashFor(reference, bytes) : sha256(bytes);
    if (byDigest && digest !== reference) throw new Refusal(400, 'DIGEST_INVALID');
    for (const child of childrenOf(bytes)) {
      const there = child.manifest ? this.manifest(name, child.digest) : this.blob(name, child.digest);
      if (there === undefined) {
        throw new Refusal(
          404,
          child.manifest ? 'MANIFEST_UNKNOWN' : 'MANIFEST_BLOB_UNKNOWN',
          `${child.digest} unknown`,
        );
      }
    }
    const repository = this.#repository(name);
    repository.manifests.set(digest, { mediaType, bytes });
    if (!byDigest) repository.tags.set(reference, digest);
    return digest;
  }

  /** Puts a manifest as it is, whatever it says; for answers that no client could have put there. */
  plantManifest(name: string, reference: string, mediaType: string, bytes: Buffer): string {
    const digest = sha256(bytes);
    const repository = this.#repository(name);
    repository.manifests.set(digest, { mediaType, bytes });
    repository.tags.set(reference, digest);
    return digest;
  }

  deleteManifest(name: string, reference: string): boolean {
    const repository = this.#repositories.get(name);
    if (repository?.tags.delete(reference)) return true;
    if (!repository?.manifests.delete(reference)) return false;
    for (const [tag, digest] of repository.tags) if (digest === reference) repository.tags.delete(tag);
    return true;
  }

  deleteBlob(name: string, digest: string): boolean {
    return this.#repositories.get(name)?.blobs.delete(digest) ?? false;
  }

  /** Whether the blob could be taken over from another repository. */
  mount(name: string, digest: string, from: string): boolean {
    if (this.blob(from, digest) === undefined) return false;
    this.#repository(name).blobs.add(digest);
    return true;
  }

  beginUpload(name: string): string {
    const id = `upload-${this.#nextUpload++}`;
    this.#uploads.set(id, { repository: name, chunks: [], size: 0, state: 0 });
    return id;
  }

  /** The upload of a repository at its present state. @throws Refusal BLOB_UPLOAD_UNKNOWN */
  upload(name: string, id: string): Readonly<Upload> {
    return this.#upload(name, id);
  }

  /**
   * What adds bytes to an upload, until the next one does: what is still on its way over an earlier connection then comes
   * too late.
   */
  appender(name: string, id: string): (bytes: Buffer) => void {
    const upload = this.#upload(name, id);
    const turn = ++upload.state;
    return bytes => {
      if (upload.state !== turn) return;
      upload.chunks.push(bytes);
      upload.size += bytes.length;
    };
  }

  finishUpload(name: string, id: string, digest: string): void {
    const upload = this.#upload(name, id);
    this.#uploads.delete(id);
    this.putBlob(name, Buffer.concat(upload.chunks), digest);
  }

  /** Forgets all uploads that are under way, as registries do after some time. */
  expireUploads(): void {
    this.#uploads.clear();
  }

  cancelUpload(name: string, id: string): void {
    this.#upload(name, id);
    this.#uploads.delete(id);
  }

  #upload(name: string, id: string): Upload {
    const upload = this.#uploads.get(id);
    if (upload?.repository !== name) throw new Refusal(404, 'BLOB_UPLOAD_UNKNOWN');
    return upload;
  }

  #repository(name: string): Repository {
    let repository = this.#repositories.get(name);
    if (repository === undefined) {
      repository = { blobs: new Set(), manifests: new Map(), tags: new Map() };
      this.#repositories.set(name, repository);
    }
    return repository;
  }
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The digest of the bytes in the algorithm that `digest` has. */
function hashFor(digest: string, bytes: Buffer): string {
  const algorithm = digest.startsWith('sha512:') ? 'sha512' : 'sha256';
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

function childrenOf(bytes: Buffer): ReadonlyArray<{ readonly digest: string; readonly manifest: boolean }> {
  let document: { config?: { digest: string }; layers?: { digest: string }[]; manifests?: { digest: string }[] };
  try {
    document = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new Refusal(400, 'MANIFEST_INVALID');
  }
  const blobs = [...(document.config ? [document.config] : []), ...(document.layers ?? [])];
  return [
    ...blobs.map(({ digest }) => ({ digest, manifest: false })),
    ...(document.manifests ?? []).map(({ digest }) => ({ digest, manifest: true })),
  ];
}
