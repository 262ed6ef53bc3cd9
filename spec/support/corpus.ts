import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const corpusRoot = fileURLToPath(new URL('../../testdata/corpus', import.meta.url));

/** More builds on the bases of the corpus, recorded in its form. */
export const recordedRoot = fileURLToPath(new URL('../../testdata/recorded', import.meta.url));

/** `case.json` of the corpus: how a case is built and what to expect. */
export interface CorpusCase {
  readonly name: string;
  readonly folder: string;
  readonly args: readonly string[];
  readonly bases?: readonly string[];
  readonly expect: 'ok' | 'error';
  readonly errorContains?: string;
  /** What it covers, in words. */
  readonly features: readonly string[];
  readonly needsRun: boolean;
  /** Absent: `Dockerfile`; `null`: no `-f` at all. */
  readonly dockerfile?: string | null;
  readonly context?: string;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly frontend?: string;
  readonly mtimePaths?: readonly string[];
  readonly recordCreated?: boolean;
  readonly note?: string;
}

export function corpusCases(root = corpusRoot): CorpusCase[] {
  return readdirSync(join(root, 'cases'))
    .sort()
    .map(name => {
      const folder = join(root, 'cases', name);
      return { ...JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')), name, folder };
    });
}

/** The flags that build a case with lading in its {@link prepareCase prepared} folder, and its context. */
export function ladingArguments(one: CorpusCase): string[] {
  // The recorder named its bases by the registry that it had them in.
  const args = one.args.map(arg =>
    arg.replace(/docker-image:\/\/127\.0\.0\.1:5000\/corpus\//, `oci-layout://${corpusRoot}/bases/`),
  );
  const named = new Set(args.map(arg => /^(?:--build-context=)?([^=]+)=oci-layout/.exec(arg)?.[1]));
  const bases = (one.bases ?? ['busybox']).filter(base => !named.has(base));
  return [
    ...['--timestamps', 'keep', '--offline'],
    ...bases.flatMap(base => ['--build-context', `${base}=oci-layout://${corpusRoot}/bases/${base}`]),
    ...(one.dockerfile === null ? [] : ['-f', one.dockerfile ?? 'Dockerfile']),
    ...args,
    one.context ?? 'context',
  ];
}

/** What the case is given on standard input. */
export function inputOf(one: CorpusCase, work: string): Uint8Array | undefined {
  return one.stdin === undefined ? undefined : readFileSync(join(work, one.stdin));
}

/** A recorded result; its form is in the corpus's README. */
export type Golden = Readonly<Record<string, unknown>> & {
  readonly expect: 'ok' | 'error';
  readonly base: string | null;
  readonly tree: Readonly<Record<string, Readonly<Record<string, unknown>> | null>>;
};

/** The recorded result, or both where two frontends were recorded. */
export function goldensOf(one: CorpusCase): [Golden, Golden?] {
  const files = ['golden.json', 'golden-1.26.json'].map(name => join(one.folder, name)).filter(existsSync);
  return files.map(file => JSON.parse(readFileSync(file, 'utf8'))) as [Golden, Golden?];
}

/** Without what is there for human readers, and what is no property of the image. */
export function comparable({ expect: _, warnings: __, frontend: ___, ...golden }: Golden): Record<string, unknown> {
  const entries = Object.entries(golden.tree).map(([path, entry]) => {
    if (entry === null) return [path, null];
    const { text: _, ...rest } = entry;
    return [path, rest];
  });
  return { ...golden, tree: Object.fromEntries(entries) };
}

/**
 * Copies a case with the modes that git would give it and the time that it was recorded with, and runs its `setup.sh`.
 * The recorder's rules are in the corpus's README.
 */
export function prepareCase(one: CorpusCase, destination: string): void {
  cpSync(one.folder, destination, { recursive: true, verbatimSymlinks: true });
  mkdirSync(join(destination, 'context'), { recursive: true });
  const time = caseTime(one.folder);
  settle(destination, time);
  const setup = join(destination, 'setup.sh');
  if (!existsSync(setup)) return;
  const script = `umask 022; exec sh -eu "$0"`;
  const result = spawnSync('sh', ['-c', script, setup], { cwd: join(destination, 'context'), encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${one.name}: setup.sh failed: ${result.stderr}`);
}

function settle(path: string, time: number): void {
  const stats = lstatSync(path);
  if (stats.isDirectory()) for (const name of readdirSync(path)) settle(join(path, name), time);
  if (stats.isSymbolicLink()) {
    lutimesSync(path, time, time);
    return;
  }
  chmodSync(path, stats.isDirectory() || (stats.mode & 0o100) !== 0 ? 0o755 : 0o644);
  utimesSync(path, time, time);
}

/** One time for all files of a case, from its content: whole seconds, as layers hold them. */
function caseTime(folder: string): number {
  const hash = createHash('sha256');
  const visit = (directory: string): void => {
    const entries = readdirSync(directory).sort();
    const isFolder = (name: string): boolean => lstatSync(join(directory, name)).isDirectory();
    const leadsToFolder = (name: string): boolean => {
      try {
        return readdirSync(join(directory, name)) !== undefined;
      } catch {
        return false;
      }
    };
    for (const name of entries) {
      if (isFolder(name) || leadsToFolder(name) || name.startsWith('golden')) continue;
      const path = join(directory, name);
      hash.update(`${relative(folder, path)}\0`);
      if (!lstatSync(path).isSymbolicLink()) hash.update(readFileSync(path));
    }
    for (const name of entries) if (isFolder(name)) visit(join(directory, name));
  };
  visit(folder);
  const offset = BigInt(`0x${hash.digest('hex').slice(0, 12)}`) % (10n ** 7n * 10n ** 9n);
  return Number((1_600_000_000n * 10n ** 9n + offset) / 10n ** 9n);
}
