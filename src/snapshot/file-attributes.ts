import { spawn } from 'node:child_process';
import { LadingError } from '../errors/errors.js';
import { decodePath, toHostPath } from '../tree/path.js';
import { type FoundChange, isPresent } from './found-change.js';

/** The extended attribute that layers hold: what an executable file may do beyond what its user may. */
export const capability = 'security.capability';

/** By path, then by name; the values hold any bytes, one a character (latin1). */
export type FoundAttributes = ReadonlyMap<string, ReadonlyMap<string, string>>;

/**
 * Extended attributes, of files given by paths below a folder, whose names match. Node can neither read nor write them:
 * `getfattr` (of the package attr) does, through xargs, for the bytes of a name may be no text.
 * @returns `undefined` when a program is missing
 */
export async function readAttributes(
  folder: string,
  paths: readonly string[],
  names: RegExp,
): Promise<FoundAttributes | undefined> {
  if (paths.length === 0) return new Map();
  const getfattr = ['getfattr', '--no-dereference', '--dump', '--encoding=hex', `--match=${names.source}`, '--'];
  const output = await filtered(['xargs', '-0', ...getfattr], folder, hostPaths(paths));
  return output === undefined ? undefined : parseDump(output);
}

/** Gives files, by paths below a folder, attributes. @returns whether it could be done */
export async function writeAttributes(
  folder: string,
  values: ReadonlyMap<string, Readonly<Record<string, string>>>,
): Promise<boolean> {
  if (values.size === 0) return true;
  const dump: Buffer[] = [];
  for (const [path, attributes] of values) {
    dump.push(Buffer.from('# file: '), Buffer.from(escapeName(hostBytes(path)), 'latin1'), Buffer.from('\n'));
    for (const [name, value] of Object.entries(attributes)) {
      dump.push(Buffer.from(`${name}=0x${Buffer.from(value, 'latin1').toString('hex')}\n`));
    }
    dump.push(Buffer.from('\n'));
  }
  return (await filtered(['setfattr', '--no-dereference', '--restore=-'], folder, dump, 'strict')) !== undefined;
}

/**
 * What a program writes that is given an input. Files without the attribute are none of its errors, nor are files that
 * have gone; `strict` asks for success.
 */
function filtered(
  [program, ...args]: readonly string[],
  cwd: string,
  input: readonly Buffer[],
  how: 'strict' | 'lenient' = 'lenient',
): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, { cwd, stdio: ['pipe', 'pipe', 'ignore'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    // It may end before it has read all; what it says then counts.
    child.stdin.on('error', () => {});
    child.on('error', error =>
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? resolve(undefined) : reject(error),
    );
    child.on('close', code => {
      // xargs: 127 when the program is not there, 126 when it cannot be run.
      const done = how === 'strict' ? code === 0 : code !== 126 && code !== 127 && code !== null;
      resolve(done ? Buffer.concat(output) : undefined);
    });
    child.stdin.end(Buffer.concat(input));
  });
}

function hostPaths(paths: readonly string[]): Buffer[] {
  return paths.flatMap(path => [hostBytes(path), Buffer.from([0])]);
}

/** With a folder in front, so that no name is taken for an option. */
function hostBytes(path: string): Buffer {
  return Buffer.from(toHostPath(`./${path}`));
}

/** getfattr and setfattr write bytes that would end a line, and the backslash, as three octal digits. */
function escapeName(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\n\r\\]/g, char => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function parseDump(dump: Buffer): FoundAttributes {
  const found = new Map<string, Map<string, string>>();
  let current: Map<string, string> | undefined;
  for (const line of dump.toString('latin1').split('\n')) {
    const file = /^# file: (?:\.\/)?(.*)$/.exec(line)?.[1];
    if (file !== undefined) {
      const bytes = Buffer.from(
        file.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
        'latin1',
      );
      current = new Map();
      found.set(decodePath(bytes), current);
      continue;
    }
    const equals = line.indexOf('=');
    if (equals <= 0) continue;
    const value = line.slice(equals + 1);
    const bytes = value.startsWith('0x') ? Buffer.from(value.slice(2), 'hex') : Buffer.alloc(0);
    current?.set(line.slice(0, equals), bytes.toString('latin1'));
  }
  return found;
}

/**
 * The capabilities of files that were found.
 * @throws LadingError PROGRAM_MISSING
 */
export async function readCapabilities(
  folder: string,
  found: readonly FoundChange[],
): Promise<ReadonlyMap<string, string>> {
  const paths = found.flatMap(change => (isPresent(change) && change.stats.isFile() ? [change.path] : []));
  const attributes = await readAttributes(folder, paths, /^security\.capability$/);
  if (attributes === undefined) throw getfattrMissing();
  return new Map([...attributes].map(([path, values]) => [path, values.get(capability)!]));
}

export function getfattrMissing(): LadingError<'PROGRAM_MISSING'> {
  return new LadingError('PROGRAM_MISSING', 'getfattr is needed to read what RUN has changed', {
    details: { program: 'getfattr' },
    hint: 'Install the package attr.',
  });
}
