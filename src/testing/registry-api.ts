import type { RegistryAccounts } from './registry-accounts.js';
import { Refusal, type RegistryContent } from './registry-content.js';
import { type Call, errorBody, readBody, reply } from './registry-exchange.js';
import { answerList, type RegistryListsOptions } from './registry-lists.js';

/** The habits that registries differ in. */
export interface RegistryHabits extends RegistryListsOptions {
  /** Blobs are read from another origin, to which the registry redirects. */
  readonly redirectBlobs?: boolean | undefined;
  /** How an upload is told where to go on. Default `absolute`; `elsewhere` is another origin. */
  readonly uploadLocation?: 'absolute' | 'relative' | 'elsewhere' | undefined;
  /** Requests that bring parts of blobs are redirected to another origin, before they are read (`early`) or after. */
  readonly redirectUploads?: 'early' | 'late' | undefined;
  /** Whether blobs can be taken over from other repositories; default yes. `refuse` answers 401 to whoever asks. */
  readonly mounts?: boolean | 'refuse' | undefined;
  /** How the next page is given. Default `relative`; `absolute` has a scheme of its own, as behind a proxy for TLS. */
  readonly pageLinks?: 'relative' | 'absolute' | undefined;
  /** Whether parts of blobs can be read; default yes. */
  readonly ranges?: boolean | undefined;
  /** Whether answers name the digest of what they are about; default yes. */
  readonly digestHeaders?: boolean | undefined;
  /** Whether a tag can be given to another manifest; default yes. */
  readonly mutableTags?: boolean | undefined;
  /** Whether a push makes the repository; default yes. See `content.createRepository`. */
  readonly createsRepositories?: boolean | undefined;
  /** The most that one request for an upload may bring; default anything. */
  readonly maxUploadBytes?: number | undefined;
  /** Whether what has arrived of a piece stays when the connection breaks; default yes. */
  readonly keepsPartialUploads?: boolean | undefined;
  /** The least that a piece of an upload should have, told when the upload begins. */
  readonly minChunkBytes?: number | undefined;
}

/** Where the parts of a test registry are, and how it behaves. */
export interface RegistryApiOptions extends RegistryHabits {
  /** `https://HOST` or `http://HOST` of each origin. */
  origin(which: 'registry' | 'tokens' | 'storage'): string;
}

const pathPattern = /^\/v2\/([a-z0-9/._-]+)\/(manifests|blobs|tags)\/([^/]+|uploads\/[^/]*)$/;

/** A request that no client has a reason to make. */
export class UnexpectedRequest extends Error {}

/** The distribution API over what a registry holds. */
export class RegistryApi {
  readonly #content: RegistryContent;
  readonly #accounts: RegistryAccounts;
  readonly #options: RegistryApiOptions;

  constructor(content: RegistryContent, accounts: RegistryAccounts, options: RegistryApiOptions) {
    this.#content = content;
    this.#accounts = accounts;
    this.#options = options;
  }

  /** A request to the registry itself. @throws Refusal, UnexpectedRequest */
  async handle(call: Call): Promise<void> {
    const { record, url } = call;
    if (url.pathname === '/v2/' || url.pathname === '/v2') {
      if (this.#authorized(call, undefined, 'pull')) reply(call, 200, {}, '{}');
      return;
    }
    const listed = /^\/v2\/(.+)\/referrers\//.exec(url.pathname)?.[1];
    if (listed !== undefined || /^\/(?:v2\/_catalog|v1\/search)$/.test(url.pathname)) {
      if (this.#authorized(call, listed, 'pull')) answerList(call, this.#content, this.#options);
      return;
    }
    const [, name, kind, rest] = pathPattern.exec(url.pathname) ?? [];
    if (name === undefined || rest === undefined) throw new UnexpectedRequest();
    const reads = record.method === 'GET' || record.method === 'HEAD';
    if (!this.#authorized(call, name, reads && !rest.startsWith('uploads/') ? 'pull' : 'push')) return;
    if (kind === 'manifests') await this.#manifest(call, name, decodeURIComponent(rest));
    else if (kind === 'tags' && rest === 'list') this.#listTags(call, name);
    else if (kind === 'tags') throw new UnexpectedRequest();
    else if (rest === 'uploads/') await this.#beginUpload(call, name);
    else if (rest.startsWith('uploads/')) await this.#upload(call, name, rest.slice('uploads/'.length));
    else this.#blob(call, name, decodeURIComponent(rest));
  }

  /** A request to the place to which blobs and uploads are led away. @throws Refusal, UnexpectedRequest */
  async handleStorage(call: Call): Promise<void> {
    const [, kind, name, rest] = /^\/(read|upload)\/(.+)\/([^/]+)$/.exec(call.url.pathname) ?? [];
    if (name === undefined || rest === undefined) throw new UnexpectedRequest();
    if (kind === 'upload') await this.#upload(call, name, rest);
    else this.#sendBlob(call, name, decodeURIComponent(rest));
  }

  /** Takes in so much of the body of an upload and no more, as when the connection breaks there. */
  async takePart(call: Call, limit: number): Promise<void> {
    const bytes = await readBody(call, limit);
    const [, name, id] =
      /^\/(?:v2\/(?=.*\/blobs\/uploads\/)|upload\/)(.+?)(?:\/blobs\/uploads)?\/([^/]+)$/.exec(call.url.pathname) ?? [];
    const { method } = call.record;
    if (name !== undefined && id !== undefined && (method === 'PATCH' || method === 'PUT')) {
      this.#content.appender(name, id)(bytes);
    }
  }

  #authorized(call: Call, repository: string | undefined, action: 'pull' | 'push'): boolean {
    if (this.#accounts.allows(call.request.headers.authorization, repository, action)) return true;
    call.request.resume();
    const scope =
      repository === undefined ? '' : `,scope="repository:${repository}:${action === 'push' ? 'pull,push' : 'pull'}"`;
    const challenge =
      this.#accounts.auth.kind === 'basic'
        ? 'Basic realm="test registry"'
        : `Bearer realm="${this.#options.origin('tokens')}/token",service="test registry"${scope}`;
    reply(call, 401, { 'www-authenticate': challenge }, errorBody('UNAUTHORIZED', 'authentication required'));
    return false;
  }

  async #manifest(call: Call, name: string, reference: string): Promise<void> {
    const { request, record } = call;
    if (record.method === 'PUT') {
      const bytes = await readBody(call);
      const type = request.headers['content-type'] ?? '';
      const standing = this.#content.manifest(name, reference);
      if (this.#options.mutableTags === false && standing !== undefined && !standing.bytes.equals(bytes)) {
        throw new Refusal(400, 'TAG_INVALID', `the tag ${reference} exists and is immutable`);
      }
      const digest = this.#content.putManifest(name, reference, type, bytes);
      const subject = this.#options.referrers === false ? undefined : subjectOf(bytes);
      return reply(call, 201, {
        location: `/v2/${name}/manifests/${digest}`,
        'docker-content-digest': digest,
        ...(subject === undefined ? {} : { 'oci-subject': subject }),
      });
    }
    if (record.method === 'DELETE') {
      if (!this.#content.deleteManifest(name, reference)) throw new Refusal(404, 'MANIFEST_UNKNOWN');
      return reply(call, 202);
    }
    if (record.method !== 'GET' && record.method !== 'HEAD') throw new UnexpectedRequest();
    const found = this.#content.manifest(name, reference);
    if (found === undefined) throw new Refusal(404, 'MANIFEST_UNKNOWN');
    return reply(
      call,
      200,
      { 'content-type': found.mediaType, 'docker-content-digest': found.digest, etag: `"${found.digest}"` },
      found.bytes,
    );
  }

  #blob(call: Call, name: string, digest: string): void {
    const { method } = call.record;
    if (method === 'DELETE') {
      if (!this.#content.deleteBlob(name, digest)) throw new Refusal(404, 'BLOB_UNKNOWN');
      reply(call, 202);
    } else if (method !== 'GET' && method !== 'HEAD') {
      throw new UnexpectedRequest();
    } else if (method === 'GET' && this.#options.redirectBlobs && this.#content.blob(name, digest) !== undefined) {
      const signed = `${name}/${encodeURIComponent(digest)}?signature=secret-of-the-storage`;
      reply(call, 307, { location: `${this.#options.origin('storage')}/read/${signed}` });
    } else {
      this.#sendBlob(call, name, digest);
    }
  }

  #sendBlob(call: Call, name: string, digest: string): void {
    const bytes = this.#content.blob(name, digest);
    if (bytes === undefined) throw new Refusal(404, 'BLOB_UNKNOWN');
    const headers = {
      'content-type': 'application/octet-stream',
      'docker-content-digest': digest,
      'accept-ranges': 'bytes',
    };
    const range = this.#options.ranges === false ? null : /^bytes=(\d+)-(\d*)$/.exec(call.request.headers.range ?? '');
    const start = Number(range?.[1] ?? 0);
    const end = Math.min(range?.[2] ? Number(range[2]) : bytes.length - 1, bytes.length - 1);
    if (range === null) reply(call, 200, headers, bytes);
    else if (start > end) reply(call, 416, { 'content-range': `bytes */${bytes.length}` });
    else {
      const part = bytes.subarray(start, end + 1);
      reply(call, 206, { ...headers, 'content-range': `bytes ${start}-${end}/${bytes.length}` }, part);
    }
  }

  async #beginUpload(call: Call, name: string): Promise<void> {
    const { request, record, url } = call;
    if (record.method !== 'POST') throw new UnexpectedRequest();
    if (this.#options.createsRepositories === false && !this.#content.hasRepository(name)) {
      throw new Refusal(404, 'NAME_UNKNOWN', `the repository with name '${name}' does not exist in the registry`);
    }
    const body = await readBody(call);
    const [digest, mount, from] = ['digest', 'mount', 'from'].map(key => url.searchParams.get(key));
    const created = (stored: string): void =>
      reply(call, 201, { location: `/v2/${name}/blobs/${stored}`, 'docker-content-digest': stored });
    if (digest) return created(this.#content.putBlob(name, body, digest));
    if (mount && from && this.#options.mounts === 'refuse') throw new Refusal(401, 'UNAUTHORIZED');
    if (mount && from && this.#options.mounts !== false) {
      const allowed = this.#accounts.allows(request.headers.authorization, from, 'pull');
      if (allowed && this.#content.mount(name, mount, from)) return created(mount);
    }
    this.#goOn(call, 202, name, this.#content.beginUpload(name));
  }

  async #upload(call: Call, name: string, id: string): Promise<void> {
    const { request, record, url } = call;
    const upload = this.#content.upload(name, id);
    if (record.method === 'DELETE') {
      this.#content.cancelUpload(name, id);
      return reply(call, 204);
    }
    if (record.method === 'GET') return this.#goOn(call, 204, name, id);
    const { redirectUploads } = this.#options;
    if (redirectUploads !== undefined && url.pathname.startsWith('/v2/')) {
      if (redirectUploads === 'late') await readBody(call);
      return reply(call, 307, { location: `${this.#options.origin('storage')}/upload/${name}/${id}${url.search}` });
    }
    if (url.searchParams.get('_state') !== `state ${upload.state}`) {
      throw new Refusal(416, 'BLOB_UPLOAD_INVALID', 'not the latest address of this upload');
    }
    this.#limit(call);
    const start = /^(\d+)-(\d+)$/.exec(request.headers['content-range'] ?? `${upload.size}-0`)?.[1];
    const digest = url.searchParams.get('digest');
    if (record.method === 'PATCH') {
      if (Number(start) !== upload.size) throw new Refusal(416, 'BLOB_UPLOAD_INVALID', 'not the next part');
    } else if (record.method !== 'PUT' || digest === null) throw new UnexpectedRequest();
    const append = this.#content.appender(name, id);
    if (this.#options.keepsPartialUploads === false) append(await readBody(call));
    else await readBody(call, Number.POSITIVE_INFINITY, append);
    if (record.method === 'PATCH') return this.#goOn(call, 202, name, id);
    this.#content.finishUpload(name, id, digest!);
    return reply(call, 201, { location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest! });
  }

  #limit({ request }: Call): void {
    const { maxUploadBytes = Number.POSITIVE_INFINITY } = this.#options;
    if (Number(request.headers['content-length'] ?? 0) > maxUploadBytes) throw new Refusal(413, 'SIZE_INVALID');
  }

  /** Tells an upload where to go on and what has arrived. */
  #goOn(call: Call, status: number, name: string, id: string): void {
    const { size, state } = this.#content.upload(name, id);
    const rest = `${id}?_state=state%20${state}`;
    const path = `/v2/${name}/blobs/uploads/${rest}`;
    const location = {
      relative: path,
      absolute: `${this.#options.origin('registry')}${path}`,
      elsewhere: `${this.#options.origin('storage')}/upload/${name}/${rest}`,
    }[this.#options.uploadLocation ?? 'absolute'];
    const least = this.#options.minChunkBytes;
    const advice: Record<string, string> = least === undefined ? {} : { 'oci-chunk-min-length': String(least) };
    reply(call, status, { ...advice, location, range: `0-${Math.max(0, size - 1)}`, 'docker-upload-uuid': id });
  }

  #listTags(call: Call, name: string): void {
    const all = this.#content.tags(name);
    if (all === undefined) throw new Refusal(404, 'NAME_UNKNOWN');
    const last = call.url.searchParams.get('last');
    const asked = Number(call.url.searchParams.get('n') ?? all.length);
    const limit = Math.min(asked, this.#options.entriesPerPage ?? all.length);
    const rest = last === null ? all : all.filter(tag => tag > last);
    const tags = rest.slice(0, limit);
    const more = rest.length > tags.length;
    const next = `/v2/${name}/tags/list?n=${limit}&last=${tags.at(-1)}`;
    const whole = `http://${call.request.headers.host}${next}`;
    const link: Record<string, string> = more
      ? { link: `<${this.#options.pageLinks === 'absolute' ? whole : next}>; rel="next"` }
      : {};
    reply(call, 200, { 'content-type': 'application/json', ...link }, JSON.stringify({ name, tags }));
  }
}

function subjectOf(manifest: Buffer): string | undefined {
  return (JSON.parse(manifest.toString('utf8')) as { subject?: { digest: string } }).subject?.digest;
}
