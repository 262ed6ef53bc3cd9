import type { HttpResponse } from '../http/http.js';
import { protocolError } from './failure.js';

/** The address that a `Location` means: relative ones are relative to the request. */
export function locationOf(response: HttpResponse, base: URL): URL {
  const text = response.header('location');
  if (text === undefined || text === '') throw protocolError(response.url, 'says nothing about where to go on');
  let target: URL;
  try {
    target = new URL(text, response.url);
  } catch {
    throw protocolError(response.url, 'leads to something that is not an address');
  }
  target.username = '';
  target.password = '';
  // Registries behind a proxy that ends TLS often do not know their own scheme.
  if (target.host === base.host && target.protocol !== base.protocol) target.protocol = base.protocol;
  return target;
}
