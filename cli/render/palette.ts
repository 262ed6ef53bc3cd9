/** Words for the look of text; each is the text itself where colours are not wanted. */
export interface Palette {
  error(text: string): string;
  warning(text: string): string;
  hint(text: string): string;
  strong(text: string): string;
  faint(text: string): string;
}

/** Colours for a terminal, and none with `NO_COLOR` (https://no-color.org) or on a terminal that calls itself dumb. */
export function palette(
  stream: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
): Palette {
  const colours = stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  const style = (code: number) => (text: string) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
  return { error: style(31), warning: style(33), hint: style(36), strong: style(1), faint: style(2) };
}
