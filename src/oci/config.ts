import * as z from 'zod/mini';
import { digestSchema } from './descriptor.js';
import type { Digest } from './digest.js';
import { orAbsent, orEmptyText, orNone } from './empty.js';
import { encodeJson, parseDocument } from './json.js';

/** How to check that a container is healthy; durations in nanoseconds, absent when they are the default. */
export interface Healthcheck {
  /** `['NONE']`, `['CMD', …]` or `['CMD-SHELL', command]`. */
  readonly Test?: readonly string[] | undefined;
  readonly Interval?: number | undefined;
  readonly Timeout?: number | undefined;
  readonly StartPeriod?: number | undefined;
  readonly StartInterval?: number | undefined;
  readonly Retries?: number | undefined;
}

/** The `config` object of an image (OCI image-spec, config.md) with Docker's additions. */
export interface ContainerConfig {
  readonly User?: string | undefined;
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>> | undefined;
  readonly Env?: readonly string[] | undefined;
  readonly Entrypoint?: readonly string[] | undefined;
  readonly Cmd?: readonly string[] | undefined;
  readonly Volumes?: Readonly<Record<string, Record<string, never>>> | undefined;
  readonly WorkingDir?: string | undefined;
  readonly Labels?: Readonly<Record<string, string>> | undefined;
  readonly StopSignal?: string | undefined;
  readonly ArgsEscaped?: boolean | undefined;
  readonly Healthcheck?: Healthcheck | undefined;
  readonly OnBuild?: readonly string[] | undefined;
  readonly Shell?: readonly string[] | undefined;
}

/** One entry of `history`, oldest first. */
export interface HistoryEntry {
  /** RFC 3339. */
  readonly created?: string | undefined;
  readonly created_by?: string | undefined;
  readonly author?: string | undefined;
  readonly comment?: string | undefined;
  readonly empty_layer?: boolean | undefined;
}

/** OCI image-spec, config.md. */
export interface ImageConfig {
  readonly architecture: string;
  readonly author?: string | undefined;
  readonly config?: ContainerConfig | undefined;
  readonly created?: string | undefined;
  readonly history?: readonly HistoryEntry[] | undefined;
  readonly os: string;
  readonly 'os.features'?: readonly string[] | undefined;
  readonly 'os.version'?: string | undefined;
  /** `diff_ids` oldest first: digests of the uncompressed layers. */
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] };
  readonly variant?: string | undefined;
}

// Each is made once: making schemas is a good part of what a command does before it begins.
const text = orAbsent(z.string());
const number = orAbsent(z.number());
const flag = orAbsent(z.boolean());
const strings = orAbsent(z.array(z.string()));
const keys = orAbsent(
  z.record(
    z.string(),
    z.pipe(
      z.looseObject({}),
      z.transform(() => ({}) as Record<string, never>),
    ),
  ),
);

/** Any name is a label, `__proto__` too, which objects made by assignment would lose. */
const stringMap = z.custom<Readonly<Record<string, string>>>(
  value =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(item => typeof item === 'string'),
  { error: 'not a map of strings' },
);

const healthcheckSchema = z.object({
  Test: strings,
  Interval: number,
  Timeout: number,
  StartPeriod: number,
  StartInterval: number,
  Retries: number,
});

/** Unknown keys (`Hostname`, `AttachStdin`, `container_config` …) are dropped, as BuildKit's typed config drops them. */
const containerSchema = z.object({
  User: text,
  ExposedPorts: keys,
  Env: strings,
  Entrypoint: strings,
  Cmd: strings,
  Volumes: keys,
  WorkingDir: text,
  Labels: orAbsent(stringMap),
  StopSignal: text,
  ArgsEscaped: flag,
  Healthcheck: orAbsent(healthcheckSchema),
  OnBuild: strings,
  Shell: strings,
});

const historySchema = z.object({
  created: text,
  created_by: text,
  author: text,
  comment: text,
  empty_layer: flag,
});

export const imageConfigSchema = z.object({
  architecture: orEmptyText,
  author: text,
  config: orAbsent(containerSchema),
  created: text,
  history: orAbsent(z.array(historySchema)),
  os: orEmptyText,
  'os.features': strings,
  'os.version': text,
  rootfs: z.object({
    type: z._default(z.literal('layers'), 'layers'),
    diff_ids: orNone(digestSchema),
  }),
  variant: text,
});

/** The largest config that is read. */
export const configSizeLimit = 8 * 1024 * 1024;

/** @throws LadingError INVALID_DOCUMENT */
export function parseConfig(bytes: Uint8Array, digest?: string): ImageConfig {
  return parseDocument(bytes, imageConfigSchema, 'image config', digest);
}

/** The bytes of a config: top-level keys and maps sorted, the inner ones in Docker's order, empty values left out. */
export function encodeConfig(config: ImageConfig): Uint8Array {
  const { architecture, author, config: container, created, history, os, rootfs, variant } = config;
  const value = {
    architecture,
    author: author || undefined,
    config: container === undefined ? {} : orderedContainer(container),
    created: created ?? null,
    history: history?.map(entry => ({
      created: entry.created,
      created_by: entry.created_by || undefined,
      author: entry.author || undefined,
      comment: entry.comment || undefined,
      empty_layer: entry.empty_layer || undefined,
    })),
    os,
    'os.features': some(config['os.features']),
    'os.version': config['os.version'] || undefined,
    rootfs: { type: rootfs.type, diff_ids: rootfs.diff_ids },
    variant: variant || undefined,
  };
  return new TextEncoder().encode(encodeJson(value));
}

function orderedContainer(container: ContainerConfig): ContainerConfig {
  const check = container.Healthcheck;
  return {
    User: container.User || undefined,
    ExposedPorts: sorted(container.ExposedPorts),
    Env: some(container.Env),
    Entrypoint: some(container.Entrypoint),
    Cmd: some(container.Cmd),
    Volumes: sorted(container.Volumes),
    WorkingDir: container.WorkingDir || undefined,
    Labels: sorted(container.Labels),
    StopSignal: container.StopSignal || undefined,
    ArgsEscaped: container.ArgsEscaped || undefined,
    Healthcheck: check && {
      Test: some(check.Test),
      Interval: check.Interval || undefined,
      Timeout: check.Timeout || undefined,
      StartPeriod: check.StartPeriod || undefined,
      StartInterval: check.StartInterval || undefined,
      Retries: check.Retries || undefined,
    },
    OnBuild: some(container.OnBuild),
    Shell: some(container.Shell),
  };
}

function some<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list?.length ? list : undefined;
}

/** By the bytes of the keys, as Go sorts maps; integer-like keys first cannot be avoided in an object, so none is relied on. */
function sorted<T>(map: Readonly<Record<string, T>> | undefined): Readonly<Record<string, T>> | undefined {
  if (map === undefined || Object.keys(map).length === 0) return undefined;
  const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Object.fromEntries(
    Object.keys(map)
      .sort(compare)
      .map(key => [key, map[key]!]),
  );
}
