import { hash } from 'node:crypto';
import type * as z from 'zod/mini';
import { matchSchema } from '../oci/match-schema.js';

/** What a cache key is made of: a value before it is a hash, so that two of them can be compared field by field. */
export type RecordValue =
  | string
  | number
  | boolean
  | null
  | readonly RecordValue[]
  | { readonly [field: string]: RecordValue | undefined };

/** SHA-256, in hexadecimal, of the canonical form of a record. */
export function recordKey(record: RecordValue): string {
  return hash('sha256', canonicalForm(record), 'hex');
}

/**
 * Every value framed by its type and its length, so that no two different records have the same form: strings
 * `s<bytes>:…`, numbers `n…;`, booleans `t`/`f`, null `z`, lists `l<count>:…`, objects `o<count>:` with their fields
 * sorted by name and absent ones left out. It is meant to be hashed as UTF-8.
 */
export function canonicalForm(value: RecordValue): string {
  if (typeof value === 'string') return canonicalText(value);
  if (typeof value === 'number') return `n${Object.is(value, -0) ? 0 : value};`;
  if (typeof value === 'boolean') return value ? 't' : 'f';
  if (value === null) return 'z';
  if (isList(value)) {
    let form = `l${value.length}:`;
    for (const item of value) form += canonicalForm(item);
    return form;
  }
  const fields = Object.keys(value)
    .filter(field => value[field] !== undefined)
    .sort();
  let form = `o${fields.length}:`;
  for (const field of fields) form += canonicalText(field) + canonicalForm(value[field]!);
  return form;
}

/** The body of a stored record; `undefined` for one that is of another kind or version, or no JSON. */
export function parseRecord<T>(body: Uint8Array, schema: z.ZodMiniType<T>): T | undefined {
  try {
    return matchSchema(JSON.parse(Buffer.from(body).toString('utf8')), schema).value;
  } catch {
    return undefined;
  }
}

function canonicalText(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return `s${text.length}:${text}`;
  if (text.isWellFormed()) return `s${Buffer.byteLength(text, 'utf8')}:${text}`;
  // Lone surrogates (bytes of names that are not UTF-8) must not all become one replacement character.
  return `w${text.length * 2}:${Buffer.from(text, 'utf16le').toString('hex')}`;
}

function isList(value: object): value is readonly RecordValue[] {
  return Array.isArray(value);
}
