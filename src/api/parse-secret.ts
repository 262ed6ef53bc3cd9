import { LadingError } from '../errors/errors.js';
import { nearest } from '../errors/nearest.js';
import { csvFields } from '../plan/csv-fields.js';
import type { BuildSecret } from './build-secrets.js';

export interface ParseSecretOptions {
  /** Where variables are looked up. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onWarning?: ((message: string) => void) | undefined;
}

const keys = ['id', 'src', 'source', 'env', 'type'] as const;

/**
 * Parses `id=ID[,src=FILE|,env=NAME][,type=file|env]` into the entry of a build's `secrets`. Without a place it is the
 * variable that is called like the secret, or else the file. Values with a comma are quoted as in CSV. No message repeats
 * a value: what is misspelt may be the secret itself.
 * @throws LadingError USAGE
 */
export function parseSecret(text: string, { env, onWarning }: ParseSecretOptions): [id: string, secret: BuildSecret] {
  const values = new Map(fieldsOf(text).map(keyAndValue));
  const id = values.get('id') ?? '';
  if (id === '') throw usage('a secret needs an id');
  const type = values.get('type');
  if (type !== undefined && type !== 'file' && type !== 'env') throw usage(`secret ${id}: type is file or env`);
  const written = values.get('env');
  const file = values.get('src') ?? values.get('source');
  if (written !== undefined && file !== undefined) throw usage(`secret ${id}: src and env are two places`);
  if (written !== undefined && type === 'file') throw usage(`secret ${id}: a file has no env`);
  const bare = written === undefined && file === undefined;
  const variable = written ?? (type === 'env' ? (file ?? id) : bare && hasVariable(env, id, type) ? id : undefined);
  if (variable === undefined) return [id, { file: file ?? id }];
  const value = env[variable];
  if (value === undefined) onWarning?.(`secret ${id}: there is no environment variable ${variable}; it is empty`);
  return [id, { value: value ?? '' }];
}

function hasVariable(env: ParseSecretOptions['env'], name: string, type: string | undefined): boolean {
  return type !== 'file' && Object.hasOwn(env, name) && env[name] !== undefined;
}

function fieldsOf(text: string): string[] {
  try {
    return csvFields(text);
  } catch {
    // The reason repeats the text.
    throw usage('a secret cannot be read');
  }
}

function keyAndValue(field: string): [key: string, value: string] {
  const equals = field.indexOf('=');
  if (equals < 0) throw usage('a secret has a part without =');
  const key = field.slice(0, equals).toLowerCase();
  if ((keys as readonly string[]).includes(key)) return [key, field.slice(equals + 1)];
  const near = nearest(key, keys);
  throw usage(`a secret has no key ${JSON.stringify(key.slice(0, 100))}`, near && `Did you mean ${near}?`);
}

function usage(message: string, hint?: string): LadingError<'USAGE'> {
  return new LadingError('USAGE', message, {
    details: { option: 'secret' },
    hint: hint ?? 'Write id=ID,src=FILE or id=ID,env=VARIABLE.',
  });
}
