import { cleanPathText } from '../dockerfile/go-text.js';
import { invalidValue } from './refusal.js';

/**
 * The working directory after `WORKDIR path`, as it goes into the image: an absolute path stays as it is written, a
 * relative one is joined to the current directory and cleaned, an empty one means the current directory.
 * @throws LadingError INVALID_VALUE for a Windows path off the system drive
 */
export function workPath(current: string, path: string, os: string): string {
  const slashed = resolvePath(current, path, os);
  return os === 'windows' ? slashed.replaceAll('/', '\\') : slashed;
}

/**
 * The destination of a COPY as an absolute, clean path: `..` takes back what is written before it, whatever links may
 * be there. A `/` or `/.` at the end stays, for it says that the destination is a folder; so do an empty destination
 * and `.`.
 * @throws LadingError INVALID_VALUE
 */
export function destinationPath(current: string, path: string, os: string): string {
  const written = path === '' || path === '.' ? './' : os === 'windows' ? path.replaceAll('\\', '/') : path;
  const resolved = cleanPathText(resolvePath(current, written, os));
  if (written.endsWith('/')) return resolved.endsWith('/') ? resolved : `${resolved}/`;
  if (written.endsWith('/.') && !resolved.endsWith('/.')) return resolved === '/' ? '/.' : `${resolved}/.`;
  return resolved;
}

function resolvePath(current: string, path: string, os: string): string {
  const parent = withoutDrive(current === '' ? '/' : current, os);
  const base = parent.startsWith('/') ? parent : cleanPathText(`/${parent}`);
  const wanted = withoutDrive(path === '' ? base : path, os);
  return wanted.startsWith('/') ? wanted : cleanPathText(`${base}/${wanted}`);
}

/** Windows images have one drive, `C:`, which BuildKit leaves out of every path. */
function withoutDrive(path: string, os: string): string {
  if (os !== 'windows') return path;
  const slashed = path.replaceAll('\\', '/');
  const drive = /^([A-Za-z]):/.exec(slashed);
  if (slashed.startsWith('//') || (drive !== null && (drive[1]!.toUpperCase() !== 'C' || slashed.length === 2))) {
    throw invalidValue(
      'path',
      path,
      `not a path on the system drive: ${path}`,
      'Write the path without a drive, or on C:.',
    );
  }
  return cleanPathText(drive === null ? slashed : slashed.slice(2));
}
