import { LadingError } from '../errors/errors.js';
import { nearest } from '../errors/nearest.js';
import { lookup } from '../tree/lookup.js';
import { baseOf, joinPath, parentOf } from '../tree/path.js';
import type { CopySource } from './copy-step.js';

/** What to say of a path that a step takes files from and that is not there: what hides it, or what was meant. */
export function sourceNotFound(
  written: string,
  path: string,
  source: CopySource,
  message = `"/${path}": not found in ${source.label}`,
): LadingError {
  const ignoredBy = source.ignore?.matchingPattern(path);
  const folder = lookup(source.root, parentOf(path))?.node;
  const near = folder?.type === 'directory' ? nearest(baseOf(path), folder.children.keys()) : undefined;
  const meant = near === undefined ? undefined : `Did you mean ${joinPath(parentOf(path), near)}?`;
  return new LadingError('SOURCE_NOT_FOUND', message, {
    details: { pattern: written, context: source.label, ignoredBy },
    hint:
      ignoredBy === undefined
        ? meant
        : `.dockerignore hides it (pattern ${JSON.stringify(ignoredBy)}): add !${path} below that pattern to let it in.`,
  });
}
