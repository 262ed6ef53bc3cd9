import { createHash, type Hash } from 'node:crypto';

/** What a cache key is made of: a value before it is a hash, so that two of them can be compared field by field. */
export type RecordValue =
  | string
  | number
  | boolean
  | null
  | readonly RecordValue[]
  | { readonly [field: string]: RecordValue | undefined };

/**
 * SHA-256, in hexadecimal, of the canonical form of a record. Every value is framed by its type and its length, so no two
 * different records have the same form: strings `s<bytes>:…`, numbers `n…;`, booleans `t`/`f`, null `z`, lists
 * `l<count>:…`, objects `o<count>:` with their fields sorted by name and absent ones left out.
 */
export function recordKey(record: RecordValue): string {
  const hash = createHash('sha256');
  feed(hash, record);
  return hash.digest('hex');
}

function feed(hash: Hash, value: RecordValue): void {
  if (typeof value === 'string') {
    // Lone surrogates (bytes of names that are not UTF-8) must not all become one replacement character.
    const bytes = value.isWellFormed() ? Buffer.from(value, 'utf8') : Buffer.from(value, 'utf16le');
    hash.update(`${value.isWellFormed() ? 's' : 'w'}${bytes.length}:`);
    hash.update(bytes);
  } else if (typeof value === 'number') {
    hash.update(`n${Object.is(value, -0) ? 0 : value};`);
  } else if (typeof value === 'boolean') {
    hash.update(value ? 't' : 'f');
  } else if (value === null) {
    hash.update('z');
  } else if (isList(value)) {
    hash.update(`l${value.length}:`);
    for (const item of value) feed(hash, item);
  } else {
    const fields = Object.keys(value)
      .filter(field => value[field] !== undefined)
      .sort();
    hash.update(`o${fields.length}:`);
    for (const field of fields) {
      feed(hash, field);
      feed(hash, value[field]!);
    }
  }
}

function isList(value: object): value is readonly RecordValue[] {
  return Array.isArray(value);
}
