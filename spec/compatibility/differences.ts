/** Where lading does something else than BuildKit, and means to. */
export interface Difference {
  readonly what: string;
  readonly buildkit: string;
  readonly lading: string;
  readonly why: string;
  /**
   * Cases of the corpus that show it: a file that must be in the image, or `refused`, or `warns` where only the
   * warnings differ.
   */
  readonly cases?: Readonly<Record<string, { readonly file: string } | 'refused' | 'warns'>>;
  /** Other tests that show it, as in language.ts. What has neither these nor cases is shown in differences.spec.ts. */
  readonly tests?: readonly string[];
}

/** The table of `docs/compatibility.md`; each of them is shown by a test. */
export const differences = {
  layerTimes: {
    what: 'times in layers',
    buildkit: 'kept in whole seconds, and folders that a build makes have the present time',
    lading:
      'clamped to SOURCE_DATE_EPOCH (2000-01-01 by default); `--timestamps keep` keeps those of files, `exact` what is below a second, too',
    why: 'the same inputs give the same bytes',
  },
  imageTimes: {
    what: '`created` and history times',
    buildkit: 'the present time without SOURCE_DATE_EPOCH',
    lading: 'SOURCE_DATE_EPOCH or its default; the store knows the real age',
    why: 'the same',
  },
  storeFirst: {
    what: 'FROM a name that is in the store',
    buildkit: 'the registry is asked every time',
    lading: 'the store is asked first; `--pull` asks the registry',
    why: 'offline builds',
  },
  foreignLayers: {
    what: 'layers that are kept elsewhere (`urls`), and that the registry does not have',
    buildkit: 'fetched from whatever address the image names',
    lading: 'left out; `--foreign-layers` fetches them, from public addresses over HTTPS alone',
    why: 'whoever makes an image chooses these addresses, and not where a builder may go',
    tests: [
      'transport/registry/foreign-layers.spec.ts: is left out unless that is asked for, and whoever insists is told how',
    ],
  },
  anyNames: {
    what: 'file names that are not UTF-8',
    buildkit: 'the context transfer refuses them',
    lading: 'copied as they are',
    why: 'names are bytes',
    // A byte that is no text is a lone surrogate in our paths.
    cases: { '203-copy-non-utf8-name': { file: '/d/\udcff\udcfe' } },
  },
  cachedTimes: {
    what: "a cached COPY when only a file's time changed",
    buildkit: 'a hit, with the time it had before',
    lading: 'a hit with clamped times; with `--timestamps keep` the layer gets the new time',
    why: 'cached and fresh builds give the same bytes',
  },
  contextAttributes: {
    what: 'extended attributes of context files',
    buildkit: 'most are dropped',
    lading: 'all are dropped',
    why: 'Node cannot read them',
  },
  linkedLayers: {
    what: '`--link`',
    buildkit: 'a layer made without its base, or an ordinary one where the daemon cannot merge layers',
    lading: 'always a layer made without its base: no links of the base are followed, and no names are known',
    why: 'what an image is does not depend on the machine',
    cases: { '187-copy-link-onto-symlink': { file: '/usr/lib64/x/f' }, '189-copy-link-chown-name': 'refused' },
  },
  removalNames: {
    what: 'files called `.wh.…`',
    buildkit: 'written into the layer, where they remove other files',
    lading: 'refused',
    why: 'a file cannot mean two things',
  },
  encodedFiles: {
    what: 'ADD of a URL that the server encodes (`Content-Encoding`)',
    buildkit: 'unpacks gzip',
    lading: 'takes the bytes as they come, and asks for none that are encoded',
    why: 'a name, a checksum and the bytes belong together',
    tests: ['transport/http/file-downloads.spec.ts: takes a file as it is stored, however it is encoded'],
  },
  offlineFiles: {
    what: 'ADD of a URL with `--offline`',
    buildkit: 'there is no such thing',
    lading: 'the file that an earlier build got',
    why: 'offline builds',
    tests: ['build/add-url-cache.spec.ts: takes what is kept offline, tag or not'],
  },
  gitTimes: {
    what: 'times of files from Git',
    buildkit: 'the time of the checkout, or that of the commit with `?mtime=commit`',
    lading: 'that of the commit, clamped like any other',
    why: "a checkout has no time but the clock's",
    tests: ['build/add-git.spec.ts: gives the files the time of the commit, or the earlier one of the build'],
  },
  keptGit: {
    what: 'a `.git` that is kept',
    buildkit: 'as the server happens to pack it, with an index and logs of this checkout',
    lading: 'packed again: one commit, without deltas and compression; an index that knows no times, and no logs',
    why: 'the same bytes from the same version of git',
    tests: ['transport/git/git-repositories.spec.ts: has the same bytes however the server packs'],
  },
  gitAgents: {
    what: 'contexts and ADD over SSH',
    buildkit: 'the agent that `--ssh` forwards; the key of the host is asked for in each build',
    lading: 'the agent that SSH_AUTH_SOCK names; hosts must be in `known_hosts`, unless GIT_SSH_COMMAND says otherwise',
    why: 'there is no other machine, and whoever answers first need not be the host',
    tests: [
      'transport/git/git-repositories.spec.ts: is for SSH the agent of the user',
      'transport/git/git-environment.spec.ts: has the agent, and the SSH that the user has chosen, for SSH alone',
    ],
  },
  gitSubmodules: {
    what: 'submodules over SSH of a repository that is not fetched over SSH',
    buildkit: 'tried without a key',
    lading: 'refused',
    why: 'keys are for who asked for SSH',
    tests: ['transport/git/git-repositories.spec.ts: CVE-2022-39253: may not come from %s'],
  },
  gitRedirects: {
    what: 'a Git server that is told who asks, and redirects',
    buildkit: 'followed by git',
    lading: 'refused',
    why: 'the secret would go along',
    tests: ['transport/git/git-repositories.spec.ts: is not told to whom the server leads'],
  },
  gitLimits: {
    what: 'Git repositories of more than a million files, 64 GiB or 1000 submodules',
    buildkit: 'until the disk is full',
    lading: 'refused',
    why: 'a few bytes can stand for any number of files',
    tests: ['transport/git/git-repositories.spec.ts: cannot fill the disk from a few bytes'],
  },
  webContexts: {
    what: 'a named context that is an archive on the web',
    buildkit: 'one file, called `context`',
    lading: 'its files; what is no archive is one file, called `context`',
    why: 'the main context does the same',
    tests: [
      'api/named-contexts.spec.ts: are the files of an archive',
      'api/named-contexts.spec.ts: are the file itself, called context, when it is no archive: %s',
    ],
  },
  addressPasswords: {
    what: 'passwords in the addresses of ADD',
    buildkit: 'stand in the history',
    lading: '`REDACTED@` stands there',
    why: 'an image is not the place for them',
  },
  provenance: {
    what: 'provenance',
    buildkit: '`mode=min` by default, in images that are pushed or kept',
    lading: 'off by default; `--provenance=true` or `mode=min|max`',
    why: 'an image is one manifest, and what changes from build to build is not in it',
    tests: [
      'cli/build-outputs.spec.ts: is not there with %j',
      'cli/build-outputs.spec.ts: stands in the index beside each image',
    ],
  },
  statements: {
    what: 'what provenance says',
    buildkit: 'times, an invocation, the low-level definition (`max`), values of all build arguments (`max`)',
    lading:
      'none of the first three; values whose names sound like a secret, and passwords in addresses, are `REDACTED`',
    why: 'the same inputs give the same bytes, and statements are made to be read by others',
    tests: ['provenance/*', 'build/provenance.spec.ts: holds no secret, no time and nothing of this run'],
  },
  baseDigests: {
    what: 'digests of base images in provenance',
    buildkit: 'of the index that the name leads to',
    lading: 'of the manifest for the platform',
    why: 'that is what the store has',
  },
  agreedTimes: {
    what: 'times of images in several outputs (`rewrite-timestamp`, `source-date-epoch`)',
    buildkit: 'each output for itself',
    lading: 'outputs that differ in this are refused',
    why: 'the files are made once',
    tests: [
      'api/output-plan.spec.ts: is what all images of a build say',
      'api/output-plan.spec.ts: refuses %j with %j',
    ],
  },
  rewrittenTimes: {
    what: '`rewrite-timestamp`',
    buildkit: 'off by default',
    lading: 'on by default, `rewrite-timestamp=false` is `--timestamps keep`',
    why: 'as for times in layers',
    tests: ['cli/build-outputs.spec.ts: agree on the times of files'],
  },
  outputNames: {
    what: '`name=` of an output beside `-t`',
    buildkit: '`-t` replaces it',
    lading: 'it is the name in that output',
    why: 'what is said of one output is more special',
    tests: ['api/output-plan.spec.ts: a name of its own'],
  },
  loading: {
    what: '`--load`, and `type=docker` without `dest`',
    buildkit: 'into the engine',
    lading: 'in the store, as always, with a note; to standard output',
    why: 'no engine is spoken to: `lading save NAME | docker load`',
    tests: [
      'cli/build-outputs.spec.ts: are told where the image is that they want to load',
      'api/output.spec.ts: type=docker',
    ],
  },
  imageIds: {
    what: '`--iidfile` and `--quiet`',
    buildkit: 'digest of the configuration, or of the manifest with the containerd image store',
    lading: 'digest of the manifest or index',
    why: 'that is what an image is known by here',
  },
  annotatedPlatforms: {
    what: '`--annotation` for a platform that is not built',
    buildkit: 'ignored',
    lading: 'refused',
    why: 'it is a mistake',
  },
  metadataFile: {
    what: '`--metadata-file`',
    buildkit: 'with `buildx.build.ref`, and the Dockerfile in every warning',
    lading: 'without',
    why: 'there is no history of builds',
    tests: ['metadata/*', 'cli/build-outputs.spec.ts: is what buildx writes'],
  },
  storeInContext: {
    what: 'a store inside the context',
    buildkit: 'copied like any folder',
    lading: 'left out, with a warning',
    why: 'it would put earlier images and the state of the build into the image',
  },
  longPaths: {
    what: 'paths',
    buildkit: 'as long as the file system takes',
    lading: '4096 bytes at the most',
    why: 'links in a hostile layer can make paths of any length',
  },
  brokenTriggers: {
    what: 'broken ONBUILD triggers',
    buildkit: 'accepted, fail in the child image',
    lading: 'refused where they are written',
    why: 'the mistake is here',
  },
  healthcheckHistory: {
    what: 'history of HEALTHCHECK',
    buildkit: 'depends on the version of the frontend',
    lading: 'as version 1.26 writes it',
    why: 'the older text is a dump of memory',
  },
  whiteoutsInArchives: {
    what: 'names of archive entries that start with `.wh.`',
    buildkit: 'take away what is in lower layers',
    lading: 'refused',
    why: 'a file in an archive is a file',
  },
  kindsInArchives: {
    what: 'files in archives that are marked as contiguous',
    buildkit: 'refused',
    lading: 'read as files',
    why: 'other programs read them',
  },
  wordsOfExpose: {
    what: 'text before `${X:-…}` in a word of EXPOSE (`8${X:-0}`)',
    buildkit: 'lost: `0/tcp`',
    lading: 'kept: `80/tcp`',
    why: 'a word is a word',
  },
  bracesInPatterns: {
    what: '`{2}` in patterns of `.dockerignore`',
    buildkit: 'part of a regular expression',
    lading: 'itself',
    why: 'the language has only `*`, `?`, `[…]` and a backslash',
  },
  wildcardsWithoutMatch: {
    what: 'a wildcard without a match, in a folder of the context of which nothing else is copied',
    buildkit: 'refused',
    lading: 'copies nothing',
    why: 'as in any other folder',
  },
  largeOwners: {
    what: 'owners from 2147483648 on',
    buildkit: 'taken for unknown names, which are root',
    lading: 'taken as they are; refused past 32 bits',
    why: 'nobody means root by them',
  },
  firstMistake: {
    what: 'two mistakes in a Dockerfile',
    buildkit: 'those that keep a line from being cut into words come first',
    lading: 'the first in the file comes first',
    why: 'it is read from the top',
  },
  refusedWarnings: {
    what: 'warnings about a file that is refused',
    buildkit: 'those found before the error',
    lading: 'all that its text gives',
    why: 'they may be the reason',
    cases: { '009-empty-continuation-line': 'warns' },
  },
  secretsInOutput: {
    what: 'secrets that a command prints',
    buildkit: 'shown',
    lading: '`********` is shown, from eight bytes on',
    why: 'output is kept and sent around',
    tests: ['build/run/output-mask.spec.ts', 'build/run/mounts.spec.ts: is in no layer, record, event or error'],
  },
  linksInCaches: {
    what: '`source` of a cache mount that leads through links',
    buildkit: 'followed inside of the cache',
    lading: 'refused',
    why: 'what commands have left in a cache is not to be trusted',
    tests: ['build/run/mounts.spec.ts: shows a part of itself, and nothing that its links lead to'],
  },
  ownGateway: {
    what: '`host-gateway` of `--add-host`',
    buildkit: 'the address of a bridge',
    lading: '127.0.0.1',
    why: 'commands that have a network have that of this machine',
    tests: ['api/parse-command-options.spec.ts'],
  },
  parentsSources: {
    what: '`COPY --parents` of `.`, of a link that leads nowhere, and of what is not there',
    buildkit: 'refused, or nothing or the link is copied: it depends on the version, and on where it is copied from',
    lading: 'everything; the link; refused',
    why: 'a source means the same wherever it is',
  },
  linksBesideExclude: {
    what: 'links that lead nowhere at the top of the context, in `COPY --exclude=… .`',
    buildkit: 'refused',
    lading: 'copied as they are',
    why: 'as in any other folder, and without `--exclude`',
  },
  writableHosts: {
    what: '`/etc/hosts` and `/etc/resolv.conf` in RUN',
    buildkit: "can only be read; the servers for names are the machine's with `--network=none`, too",
    lading:
      "can be written, for the one command; `hosts` has Docker's lines for IPv6, and without a network there are no servers for names",
    why: 'who changes them for a command means just that, and who cannot reach a server is better told at once',
    tests: [
      'build/run/run.spec.ts: takes what it writes to /etc/hosts for itself alone',
      'build/run/run.spec.ts: knows no servers for names without a network',
    ],
  },
  relativePath: {
    what: 'a program that is found through a relative folder in `PATH`, in the exec form of RUN',
    buildkit: 'refused',
    lading: 'started, as by a shell',
    why: 'both forms find the same programs',
    tests: ['build/run/run.spec.ts: finds programs in relative folders of PATH without a shell, too'],
  },
  failedFiles: {
    what: 'what a command that failed has left',
    buildkit: 'gone, but for a debugger',
    lading: 'gone, or kept with `--keep-failed` for `lading debug`; `--debug-shell` opens a shell before the command',
    why: 'the reason is often in a file',
    tests: ['build/run/run.spec.ts: leaves its files where that is asked for'],
  },
} as const satisfies Readonly<Record<string, Difference>>;

export type DifferenceId = keyof typeof differences;

/** What a case of the corpus shows instead of its recorded result. */
export function differenceOf(name: string): { readonly file: string } | 'refused' | 'warns' | undefined {
  for (const { cases } of Object.values<Difference>(differences)) {
    if (cases !== undefined && Object.hasOwn(cases, name)) return cases[name];
  }
  return undefined;
}
