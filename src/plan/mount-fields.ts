import { nearest } from '../errors/nearest.js';
import { parseByteCount } from './byte-count.js';
import { csvFields } from './csv-fields.js';
import { invalidValue } from './refusal.js';

export type MountType = 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
export type CacheSharing = 'shared' | 'private' | 'locked';

/** The keys of one `--mount` as they were given; texts that were not are empty. */
export interface MountFields {
  type: MountType;
  from: string;
  source: string;
  target: string;
  id: string;
  sharing?: CacheSharing;
  env?: string;
  readOnly?: boolean;
  required: boolean;
  sizeBytes: number;
  mode?: number;
  uid?: number;
  gid?: number;
}

const types: readonly MountType[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];
const sharings: readonly CacheSharing[] = ['shared', 'private', 'locked'];
const keys =
  'type from source src target dst destination readonly ro readwrite rw id sharing required size mode uid gid env';

/**
 * The stage or image that a `--mount` names in `from=`, '' without one. It is needed before any value is known, so it
 * cannot hold variables.
 * @throws LadingError INVALID_VALUE
 */
export function mountFrom(text: string): string {
  let from = '';
  for (const field of csvFields(text)) {
    const { key, value } = splitField(field);
    if (key !== 'from' || value === undefined) continue;
    if (/\$./s.test(value)) {
      const message = "'from' doesn't support variable expansion, define alias stage instead";
      throw invalidValue(
        'mount',
        text,
        message,
        'Name a stage: ARG before the first FROM, then FROM ${NAME} AS alias.',
      );
    }
    from = value;
  }
  return from;
}

/**
 * Reads the keys of a `--mount` and checks them one by one and together.
 * @throws LadingError INVALID_VALUE, BAD_SUBSTITUTION
 */
export function mountFields(text: string, expand: (word: string) => string): MountFields {
  const fields: MountFields = { type: 'bind', from: '', source: '', target: '', id: '', required: false, sizeBytes: 0 };
  for (const field of csvFields(text)) {
    const { key, value } = splitField(field);
    if (value === undefined) setBare(fields, key, field);
    else setField(fields, key, expand(value), field);
  }
  checkTogether(fields);
  return fields;
}

function splitField(field: string): { key: string; value?: string } {
  const equals = field.indexOf('=');
  if (equals < 0) return { key: field.toLowerCase() };
  return { key: field.slice(0, equals).toLowerCase(), value: field.slice(equals + 1) };
}

function setBare(fields: MountFields, key: string, field: string): void {
  if (key === 'readonly' || key === 'ro') fields.readOnly = true;
  else if (key === 'readwrite' || key === 'rw') fields.readOnly = false;
  else if (key === 'required') fields.required = onlyFor(fields, key, ['secret', 'ssh'], true);
  else throw invalidMount(field, `invalid field '${field}' must be a key=value pair`);
}

function setField(fields: MountFields, key: string, value: string, field: string): void {
  switch (key) {
    case 'type':
      fields.type = oneOf(types, value, 'mount type');
      break;
    case 'from':
    case 'id':
    case 'env':
      fields[key] = value;
      break;
    case 'source':
    case 'src':
      fields.source = value;
      break;
    case 'target':
    case 'dst':
    case 'destination':
      fields.target = value;
      break;
    case 'readonly':
    case 'ro':
      fields.readOnly = booleanValue(key, value);
      break;
    case 'readwrite':
    case 'rw':
      fields.readOnly = !booleanValue(key, value);
      break;
    case 'required':
      fields.required = onlyFor(fields, key, ['secret', 'ssh'], booleanValue(key, value));
      break;
    case 'size':
      fields.sizeBytes = onlyFor(fields, key, ['tmpfs'], byteCount(key, value));
      break;
    case 'sharing':
      fields.sharing = oneOf(sharings, value, 'sharing value');
      break;
    case 'mode':
      fields.mode = numberValue(key, value, 8);
      break;
    case 'uid':
    case 'gid':
      fields[key] = numberValue(key, value, 10);
      break;
    default:
      throw invalidMount(field, `unexpected key '${key}' in '${field}'${didYouMean(key, keys.split(' '))}`);
  }
}

function checkTogether(fields: MountFields): void {
  const { type, sharing } = fields;
  for (const key of ['mode', 'uid', 'gid'] as const) {
    if (fields[key] !== undefined && (type === 'bind' || type === 'tmpfs')) {
      throw invalidMount(key, `${key} not allowed for "${type}" type mounts`);
    }
  }
  if (type === 'secret') {
    if (fields.from !== '') throw invalidMount(fields.from, 'secret mount should not have a from');
    if (sharing !== undefined) throw invalidMount(sharing, 'secret mount should not define sharing');
    if (fields.source === '' && fields.target === '' && fields.id === '') {
      throw invalidMount('', 'invalid secret mount. one of source, target required');
    }
    if (fields.source !== '' && fields.id !== '') throw invalidMount(fields.source, "both source and id can't be set");
  }
  if (sharing !== undefined && type !== 'cache')
    throw invalidMount(sharing, `invalid cache sharing set for ${type} mount`);
  if (type === 'ssh' && fields.source !== '') throw invalidMount(fields.source, 'ssh does not support source');
}

function oneOf<T extends string>(known: readonly T[], value: string, what: string): T {
  const found = known.find(candidate => candidate === value.toLowerCase());
  if (found === undefined)
    throw invalidMount(value, `unsupported ${what} ${JSON.stringify(value)}${didYouMean(value, known)}`);
  return found;
}

/** Keys that depend on the type are judged by the type given so far, so `type=` comes before them. */
function onlyFor<T>(fields: MountFields, key: string, allowed: readonly MountType[], value: T): T {
  if (allowed.includes(fields.type)) return value;
  throw invalidMount(
    key,
    `unexpected key '${key}' for mount type '${fields.type}'`,
    `Write type=${allowed[0]} before ${key}.`,
  );
}

function booleanValue(key: string, value: string): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(value)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(value)) return false;
  throw invalidMount(value, `invalid value for ${key}: ${value}`);
}

function byteCount(key: string, value: string): number {
  const bytes = parseByteCount(value);
  if (bytes === undefined) throw invalidMount(value, `invalid value for ${key}: ${value}`);
  return bytes;
}

function numberValue(key: string, value: string, base: 8 | 10): number {
  const number = (base === 8 ? /^[0-7]+$/ : /^\d+$/).test(value) ? Number.parseInt(value, base) : Number.NaN;
  if (number <= 0xffff_ffff) return number;
  throw invalidMount(value, `invalid value ${value} for ${key}`);
}

function didYouMean(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? '' : ` (did you mean ${meant}?)`;
}

export function invalidMount(value: string, message: string, hint?: string) {
  return invalidValue(
    'mount',
    value,
    message,
    hint ?? 'See RUN --mount in the Dockerfile reference for the keys of each type.',
  );
}
