/**
 * The parts of Go's text handling that the Dockerfile language is defined by: its white space, its quoting, its
 * lexical path cleaning. They differ from JavaScript's in small ways that decide where a word ends.
 */

const space = '\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const leadingSpace = new RegExp(`^[${space}]+`);
const oneSpace = new RegExp(`^[${space}]$`);

/** Whether a character (one code point) is white space to Go's `unicode.IsSpace`. */
export function isSpace(character: string): boolean {
  const code = character.charCodeAt(0);
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return oneSpace.test(character);
}

export function trimSpaceStart(text: string): string {
  const code = text.charCodeAt(0);
  if (code > 0x20 && code < 0x80) return text;
  return text.replace(leadingSpace, '');
}

export function trimSpace(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1]!)) end -= 1;
  return trimSpaceStart(text.slice(0, end));
}

const shortEscapes = new Map([
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['\\', '\\\\'],
  ['"', '\\"'],
]);

/** A Go string literal: `%q`. Printable characters stay, the rest is escaped; a lone surrogate prints as U+FFFD. */
export function quote(text: string): string {
  if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
  let out = '"';
  for (const character of text) {
    const short = shortEscapes.get(character);
    const code = character.codePointAt(0)!;
    if (short !== undefined) out += short;
    else if (code >= 0xd800 && code <= 0xdfff) out += '\ufffd';
    else if (character === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character)) out += character;
    else if (code < 0x80) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code < 0x10000) out += `\\u${code.toString(16).padStart(4, '0')}`;
    else out += `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return `${out}"`;
}

/** Go's `%q` of a list of strings: `["a" "b"]`. */
export function quoteList(texts: readonly string[]): string {
  return `[${texts.map(quote).join(' ')}]`;
}

/** Go's `path.Clean`: the shortest spelling of the same path; leading `..` and a leading `/` stay, nothing is `.`. */
export function cleanPathText(path: string): string {
  const rooted = path.startsWith('/');
  const components: string[] = [];
  for (const component of path.split('/')) {
    if (component === '' || component === '.') continue;
    if (component !== '..') components.push(component);
    else if (components.length > 0 && components.at(-1) !== '..') components.pop();
    else if (!rooted) components.push('..');
  }
  const cleaned = (rooted ? '/' : '') + components.join('/');
  return cleaned === '' ? '.' : cleaned;
}
