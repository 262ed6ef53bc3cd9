/** Parts of a value that are other ones elsewhere: by key, or by index in a list; `null` takes a part away. */
export type Overlay = { readonly [part: string]: unknown };

/** A value with other parts. */
export function overlaid(value: unknown, overlay: Overlay = {}): unknown {
  const result = Array.isArray(value) ? [...value] : { ...(value as object) };
  const parts = result as Record<string, unknown>;
  for (const [part, other] of Object.entries(overlay)) {
    if (other === null) delete parts[part];
    else parts[part] = isPlain(other) ? overlaid(parts[part] ?? {}, other) : other;
  }
  return result;
}

/** Not a list, a single value or a matcher. */
function isPlain(value: unknown): value is Overlay {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
