/** A value as JSON for people and programs: two spaces, one line end. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, plain, 2)}\n`;
}

/** A value as one line of JSON. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value, plain)}\n`;
}

/** JSON has no word for bytes and large integers; bytes in what is printed are output of programs, so text. */
function plain(this: unknown, key: string, value: unknown): unknown {
  // A Buffer has been turned into a list of numbers by the time it is the value.
  const original = (this as Record<string, unknown>)[key];
  if (original instanceof Uint8Array) return new TextDecoder().decode(original);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map) return Object.fromEntries(value);
  return value;
}
