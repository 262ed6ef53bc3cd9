import { spawn } from 'node:child_process';
import { LadingError } from '../errors/errors.js';
import { readTar } from '../layer/tar-reader.js';
import { inOnePiece } from '../stream/bytes.js';
import { cleanPath, decodePath, toHostPath } from '../tree/path.js';
import { type FoundChange, isPresent } from './found-change.js';

/** The extended attribute that layers hold: what an executable file may do beyond what its user may. */
export const capability = 'security.capability';

/** PATH, to find programs in; nothing else of it is needed. */
export type ProgramEnvironment = Readonly<Record<string, string | undefined>>;

/** By path, then by name; the values hold any bytes, one a character (latin1). */
export type FoundAttributes = ReadonlyMap<string, ReadonlyMap<string, string>>;

/**
 * Extended attributes, of files given by paths below a folder or of all that is in it, whose names match. Node can neither
 * read nor write them: `getfattr` (of the package attr) does; for paths through xargs, since the bytes of a name may be no
 * text. Where it is missing, GNU tar tells them beside the content, which takes longer.
 * @throws LadingError PROGRAM_MISSING
 */
export async function readAttributes(
  folder: string,
  paths: readonly string[] | 'all',
  names: RegExp,
  env: ProgramEnvironment | undefined,
): Promise<FoundAttributes> {
  if (paths.length === 0) return new Map();
  const all = paths === 'all';
  const input = all ? [] : hostPaths(paths);
  const getfattr = ['getfattr', '--no-dereference', '--dump', '--encoding=hex', `--match=${names.source}`];
  const reading = all ? [...getfattr, '--recursive', '--physical', '--', '.'] : ['xargs', '-0', ...getfattr, '--'];
  const dump = await filtered(reading, folder, input, { env, done: code => code < 126 });
  if (dump !== undefined) return parseDump(dump);
  const tar = ['tar', '--create', '--file=-', '--format=pax', '--xattrs', '--xattrs-include=*'];
  const files = all ? ['.'] : ['--no-recursion', '--verbatim-files-from', '--null', '--files-from=-'];
  const archive = await filtered([...tar, ...files], folder, input, { env, done: code => code === 0 });
  if (archive !== undefined) return await attributesOfArchive(archive, names);
  throw new LadingError('PROGRAM_MISSING', 'getfattr is needed to read what RUN has changed', {
    details: { program: 'getfattr' },
    hint: 'Install the package attr, or GNU tar.',
  });
}

async function attributesOfArchive(archive: Buffer, names: RegExp): Promise<FoundAttributes> {
  const found = new Map<string, ReadonlyMap<string, string>>();
  for await (const { path, xattrs } of readTar(inOnePiece(archive))) {
    const matching = Object.entries(xattrs ?? {}).filter(([name]) => names.test(name));
    if (matching.length > 0) found.set(cleanPath(path), new Map(matching));
  }
  return found;
}

/** Gives files, by paths below a folder, attributes. @returns whether it could be done */
export async function writeAttributes(
  folder: string,
  values: ReadonlyMap<string, Readonly<Record<string, string>>>,
  env: ProgramEnvironment | undefined,
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
  const setfattr = ['setfattr', '--no-dereference', '--restore=-'];
  return (await filtered(setfattr, folder, dump, { env, done: code => code === 0 })) !== undefined;
}

/** What a program writes that is given an input; `undefined` when it is not there, or `done` does not like its status. */
function filtered(
  [program, ...args]: readonly string[],
  cwd: string,
  input: readonly Buffer[],
  { env, done }: { readonly env?: ProgramEnvironment | undefined; readonly done: (code: number) => boolean },
): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, { cwd, env, stdio: ['pipe', 'pipe', 'ignore'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    // It may end before it has read all; its status then says so.
    child.stdin.on('error', () => {});
    child.on('error', error =>
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? resolve(undefined) : reject(error),
    );
    child.on('close', code => resolve(code !== null && done(code) ? Buffer.concat(output) : undefined));
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
  env: ProgramEnvironment | undefined,
): Promise<ReadonlyMap<string, string>> {
  const paths = found.flatMap(change => (isPresent(change) && change.stats.isFile() ? [change.path] : []));
  return capabilitiesIn(await readAttributes(folder, paths, /^security\.capability$/, env));
}

/** Those among other attributes. */
export function capabilitiesIn(attributes: FoundAttributes): ReadonlyMap<string, string> {
  return new Map(
    [...attributes].flatMap(([path, values]) => {
      const value = values.get(capability);
      return value === undefined ? [] : [[path, withoutNamespace(value)] as const];
    }),
  );
}

/**
 * What was given in a user namespace names the root of it, which no other machine knows: `VFS_CAP_REVISION_3` becomes
 * revision 2, which is the same without.
 */
function withoutNamespace(value: string): string {
  const isThird = value.length === 24 && value.charCodeAt(3) === 3;
  return isThird ? `${value.slice(0, 3)}\u0002${value.slice(4, 20)}` : value;
}
