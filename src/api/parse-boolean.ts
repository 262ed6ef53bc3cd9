/** `true` and `false` in the spellings that Go, and so BuildKit, reads; `undefined` for anything else. */
export function parseBoolean(text: string): boolean | undefined {
  if (/^(?:1|t|true)$/i.test(text)) return true;
  return /^(?:0|f|false)$/i.test(text) ? false : undefined;
}
