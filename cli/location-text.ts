import { resolve } from 'node:path';

/**
 * A location with its relative path taken from the folder that the command was started in. Where that folder's own name
 * has the colon that ends a path, the path stays relative.
 */
export function locationText(text: string, cwd: string): string {
  const match = /^(oci|oci-archive|docker-archive):([^:]+)(:.*)?$/s.exec(text);
  if (match === null) return text;
  const path = resolve(cwd, match[2]!);
  return path.includes(':') ? text : `${match[1]}:${path}${match[3] ?? ''}`;
}

export function isLocation(text: string): boolean {
  return /^(?:docker:\/\/|store:|oci:|oci-archive:|docker-archive:)/.test(text);
}
