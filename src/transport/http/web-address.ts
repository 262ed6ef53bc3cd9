import { LadingError } from '../../errors/errors.js';
import { redactUrl } from '../../errors/redact.js';

/** Whether it is one that files are fetched from. */
export function isWebAddress({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'http:';
}

/** @throws LadingError INVALID_VALUE for what is no address of the web */
export function webAddress(text: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Told below: the reason that Node gives repeats the text.
  }
  if (url !== undefined && isWebAddress(url)) return url;
  const value = redactUrl(text);
  throw new LadingError('INVALID_VALUE', `${value} is not an address of the web`, { details: { what: 'URL', value } });
}
