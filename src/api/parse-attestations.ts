import type { ProvenanceOptions } from '../build/provenance.js';
import { isLadingError, LadingError } from '../errors/errors.js';
import { csvFields } from '../plan/csv-fields.js';
import { parseBoolean } from './parse-boolean.js';

/**
 * Parses `--attest`: `type=provenance,mode=max`. Of each type the first one counts; one that is disabled is the same as
 * none, and so there may be an `sbom`, which is made by programs that read the image.
 * @throws LadingError USAGE, UNSUPPORTED for `sbom`
 */
export function parseAttestations(texts: readonly string[]): ProvenanceOptions | undefined {
  const attestations = new Map<string, ReadonlyMap<string, string>>();
  for (const text of texts) {
    const values = valuesOf(text);
    const type = values.get('type');
    if (type !== 'provenance' && type !== 'sbom') {
      const problem = type === undefined ? 'the type is missing' : `unknown type ${JSON.stringify(type)}`;
      throw usage(text, problem, 'Write type=provenance.');
    }
    if (!attestations.has(type)) attestations.set(type, disabled(text, values) ? new Map() : values);
  }
  if ((attestations.get('sbom')?.size ?? 0) > 0) {
    throw new LadingError('UNSUPPORTED', 'no SBOM is made: it takes a program that reads the image', {
      details: { feature: 'SBOM attestations' },
      hint: 'Make one from the result, for example with "syft", and attach it with "cosign attest".',
    });
  }
  const values = attestations.get('provenance');
  return values === undefined || values.size === 0 ? undefined : provenanceOptions(values);
}

const readers: Readonly<Record<string, (value: string) => ProvenanceOptions | undefined>> = {
  type: () => ({}),
  disabled: () => ({}),
  mode: value => {
    if (value === 'min' || value === 'max') return { mode: value };
    return value === 'full' ? { mode: 'max' } : undefined;
  },
  version: value => (value === 'v1' || value === 'v0.2' ? { version: value } : undefined),
  'builder-id': builderId => ({ builderId }),
  filename: filename => (/^[^/\0]+$/.test(filename) && !/^\.\.?$/.test(filename) ? { filename } : undefined),
  reproducible: flag(reproducible => ({ reproducible })),
  'inline-only': flag(inlineOnly => ({ inlineOnly })),
};

function provenanceOptions(values: ReadonlyMap<string, string>): ProvenanceOptions {
  let options: ProvenanceOptions = {};
  for (const [key, value] of values) {
    const read = Object.hasOwn(readers, key) ? readers[key] : undefined;
    const change = read?.(value);
    if (change === undefined) {
      const known = Object.keys(readers).filter(name => name !== 'type');
      const problem = read === undefined ? `there is no ${key}` : `${key} cannot be ${JSON.stringify(value)}`;
      throw usage('type=provenance', problem, `Known are ${known.join(', ')}.`);
    }
    options = { ...options, ...change };
  }
  return options;
}

function flag(change: (value: boolean) => ProvenanceOptions): (text: string) => ProvenanceOptions | undefined {
  return text => {
    const value = parseBoolean(text);
    return value === undefined ? undefined : change(value);
  };
}

function disabled(text: string, values: ReadonlyMap<string, string>): boolean {
  const written = values.get('disabled');
  const value = written === undefined ? false : parseBoolean(written);
  if (value !== undefined) return value;
  throw usage(text, `disabled cannot be ${JSON.stringify(written)}`, 'It is true or false.');
}

function valuesOf(text: string): Map<string, string> {
  try {
    return new Map(csvFields(text).map(field => keyAndValue(text, field)));
  } catch (error) {
    if (!isLadingError(error, 'INVALID_VALUE')) throw error;
    throw usage(text, 'it cannot be read', 'Write type=provenance,KEY=VALUE.');
  }
}

function keyAndValue(text: string, field: string): [key: string, value: string] {
  const equals = field.indexOf('=');
  if (equals < 0) throw usage(text, `${JSON.stringify(field)} has no value`, 'Write KEY=VALUE.');
  return [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1)];
}

function usage(text: string, problem: string, hint: string): LadingError<'USAGE'> {
  return new LadingError('USAGE', `--attest ${text}: ${problem}`, { details: { option: 'attest' }, hint });
}
