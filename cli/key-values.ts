import { UsageError } from './usage-error.js';

export interface KeyValueOptions {
  /** The option, for messages: `--label`. */
  readonly option: string;
  /** What a key without `=` means; `undefined` leaves it out. */
  readonly bare: (key: string) => string | undefined;
}

/** `KEY=VALUE` of a repeated option, the last one winning. */
export function keyValues(
  written: readonly string[] | undefined,
  { option, bare }: KeyValueOptions,
): Record<string, string> {
  const values = new Map<string, string>();
  for (const text of written ?? []) {
    const equals = text.indexOf('=');
    const key = equals < 0 ? text : text.slice(0, equals);
    if (key.trim() === '')
      throw new UsageError(`${option} ${JSON.stringify(text)}: the name is missing`, `Write ${option} NAME=VALUE.`);
    const value = equals < 0 ? bare(key) : text.slice(equals + 1);
    if (value !== undefined) values.set(key, value);
  }
  return Object.fromEntries(values);
}
