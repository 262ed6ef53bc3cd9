import { nearest } from '../errors/nearest.js';
import { Problem } from './problem.js';

type FlagKind = 'boolean' | 'text' | 'list';
type FlagTable = Readonly<Record<string, FlagKind>>;

/** The flags that each instruction knows. ARG and STOPSIGNAL take any flag and ignore it. */
export const flagTables = {
  ADD: {
    chown: 'text',
    chmod: 'text',
    link: 'boolean',
    'keep-git-dir': 'boolean',
    checksum: 'text',
    unpack: 'boolean',
    exclude: 'list',
  },
  COPY: { chown: 'text', from: 'text', chmod: 'text', link: 'boolean', exclude: 'list', parents: 'boolean' },
  FROM: { platform: 'text' },
  HEALTHCHECK: { interval: 'text', timeout: 'text', 'start-period': 'text', 'start-interval': 'text', retries: 'text' },
  RUN: { mount: 'list', network: 'text', security: 'text', device: 'list' },
} as const satisfies Record<string, FlagTable>;

type FlagValue<K> = K extends 'boolean' ? boolean : K extends 'list' ? readonly string[] : string;

/** Flags that were not given are absent, lists are empty. */
export type Flags<T extends FlagTable> = {
  readonly [N in keyof T]: T[N] extends 'list' ? readonly string[] : FlagValue<T[N]> | undefined;
};

/** @throws Problem */
export function parseFlags<T extends FlagTable>(flags: readonly string[], table: T): Flags<T> {
  // Only names of the table become keys, always all of them and in its order: one shape per instruction.
  const values: Record<string, boolean | string | string[] | undefined> = {};
  for (const name in table) values[name] = table[name] === 'list' ? [] : undefined;
  for (const flag of flags) {
    const equals = flag.indexOf('=');
    const written = equals < 0 ? flag : flag.slice(0, equals);
    const value = equals < 0 ? undefined : flag.slice(equals + 1);
    const name = written.slice(2);
    const kind = Object.hasOwn(table, name) ? table[name] : undefined;
    if (kind === undefined) throw unknownFlag(written, name, table);
    const earlier = values[name];
    if (Array.isArray(earlier)) {
      earlier.push(requireValue(written, value));
    } else {
      if (earlier !== undefined) throw new Problem(`duplicate flag specified: ${written}`, 'Give the flag once.');
      values[name] = kind === 'boolean' ? parseBoolean(written, value) : requireValue(written, value);
    }
  }
  return values as Flags<T>;
}

/** For instructions that know no flag. */
export function refuseFlags(flags: readonly string[]): void {
  if (flags.length > 0) parseFlags(flags, {});
}

function requireValue(written: string, value: string | undefined): string {
  if (value === undefined) throw new Problem(`missing a value on flag: ${written}`, `Write ${written}=VALUE.`);
  return value;
}

function parseBoolean(written: string, value: string | undefined): boolean {
  if (value === '') throw new Problem(`missing a value on flag: ${written}`, `Write ${written} or ${written}=false.`);
  const lower = value?.toLowerCase() ?? 'true';
  if (lower !== 'true' && lower !== 'false') {
    throw new Problem(`expecting boolean value for flag ${written}, not: ${value}`, `Write true or false.`);
  }
  return lower === 'true';
}

function unknownFlag(written: string, name: string, table: FlagTable): Problem {
  const names = Object.keys(table);
  const near = nearest(name, names);
  if (near !== undefined) {
    return new Problem(`unknown flag: ${written} (did you mean ${near}?)`, `Write --${near} instead of ${written}.`);
  }
  const hint =
    names.length === 0
      ? 'This instruction takes no flags. Write -- before an argument that starts with --, or use the JSON form.'
      : `Known here: ${names.map(known => `--${known}`).join(', ')}.`;
  return new Problem(`unknown flag: ${written}`, hint);
}
