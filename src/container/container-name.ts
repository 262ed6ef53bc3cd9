import { LadingError } from '../errors/errors.js';

const left = ['amber', 'brisk', 'calm', 'deft', 'eager', 'fleet', 'glad', 'hardy', 'keen', 'lively', 'merry', 'neat'];
const right = [
  'anchor',
  'barge',
  'bosun',
  'buoy',
  'crane',
  'crate',
  'cutter',
  'dock',
  'hawser',
  'keel',
  'pilot',
  'quay',
];

/** A name for a container that was given none, made of its id so that nothing has to be asked for chance twice. */
export function nameOfId(id: string): string {
  const number = Number.parseInt(id.slice(0, 8), 16);
  return `${left[number % 12]!}_${right[Math.floor(number / 12) % 12]!}_${id.slice(0, 4)}`;
}

/** @throws LadingError INVALID_VALUE */
export function checkName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(name)) return;
  throw new LadingError('INVALID_VALUE', `not a name for a container: ${JSON.stringify(name.slice(0, 100))}`, {
    details: { what: 'container name', value: name.slice(0, 100) },
    hint: 'Use letters, digits, _ . and -, with a letter or digit first.',
  });
}
