/** Raw deflate (RFC 1951) both ways, on one memory. What lies in it, and where, is up to the caller. */
export { deflate, outputBound } from './deflate';
export { inflate } from './inflate';

/** Where all ends that has a place of its own. */
export function tablesEnd(): usize {
  return __heap_base;
}
