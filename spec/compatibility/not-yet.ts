import type { ErrorCode } from '../../src/errors/errors.js';

/** What is known and not there: an error, never skipped. */
export interface NotYet {
  readonly what: string;
  readonly instead: string;
  readonly code: ErrorCode;
}

/** The table of `docs/compatibility.md`; not-yet.spec.ts tries each of them. */
export const notYet = {
  socks: {
    what: 'proxies of SOCKS',
    instead: 'a proxy of HTTP, in `HTTP_PROXY` and `HTTPS_PROXY`',
    code: 'UNSUPPORTED',
  },
  oddXz: {
    what: 'xz archives with filters other than LZMA2, or with SHA-256 checks',
    instead: 'compress again with plain `xz`, or with gzip',
    code: 'UNSUPPORTED',
  },
  offlineGit: {
    what: 'Git repositories with `--offline`, or from an earlier build without fetching them again',
    instead: 'clone it and give the folder',
    code: 'GIT_REPOSITORY',
  },
  oldGit: {
    what: 'Git repositories on Windows, or with a `git` before 2.31',
    instead: 'clone it and give the folder',
    code: 'UNSUPPORTED',
  },
  bakeContexts: {
    what: 'named contexts (`--build-context`) `target:` and `input:`, which mean something in bake files and inside BuildKit',
    instead: 'a folder, an OCI layout, an image, a Git repository or an address',
    code: 'UNSUPPORTED',
  },
  frontends: {
    what: 'a foreign `# syntax=` frontend',
    instead: 'leave the line out; `docker/dockerfile` of any version is us',
    code: 'DOCKERFILE_SYNTAX',
  },
  zstd: { what: 'zstd layers on Node before 22.15', instead: 'gzip, or a newer Node', code: 'UNSUPPORTED' },
  dockerArchive: {
    what: 'a docker archive of several platforms',
    instead: 'an OCI archive',
    code: 'UNSUPPORTED',
  },
  sbom: {
    what: 'SBOM attestations',
    instead: 'make a list from the image with `syft`, attach it with `cosign attest`',
    code: 'UNSUPPORTED',
  },
  estargz: { what: '`compression=estargz` of `--output`', instead: 'gzip or zstd', code: 'USAGE' },
  unpacking: { what: '`unpack=true` of `--output`', instead: '`type=local`', code: 'USAGE' },
  foreignLayers: { what: '`prefer-nondist-layers=true` of `--output`', instead: 'leave it out', code: 'USAGE' },
  sparseFiles: {
    what: 'sparse files inside layers of base images',
    instead: 'rebuild the base without them',
    code: 'UNSUPPORTED',
  },
  inlineCache: {
    what: 'a cache inside the image (BUILDKIT_INLINE_CACHE)',
    instead: 'keep the folder of the store between builds',
    code: 'UNSUPPORTED',
  },
} as const satisfies Readonly<Record<string, NotYet>>;

export type NotYetId = keyof typeof notYet;
