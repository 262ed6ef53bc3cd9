/** Characters that move the cursor, change the look of a terminal, or turn the order of text around. */
const dangerous = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const escapes = /\x1b(?:\[[0-9;:?<=>!]{0,64}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|[ -/]{0,4}[0-~])/g;

/** Text from elsewhere as it may be shown: line ends and tabs stay, escape sequences go, odd characters become `\ufffd`. */
export function printable(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(escapes, '').replace(dangerous, '\ufffd');
}

/** The same on one line. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\n\t]+/g, ' ');
}

/** As much of a line as fits into so many columns of a terminal. */
export function fitLine(text: string, columns: number): string {
  let width = 0;
  let end = 0;
  /** Where to cut so that the mark fits too. */
  let cut = 0;
  for (const character of text) {
    const point = character.codePointAt(0)!;
    // What is not plainly narrow counts twice: too short a line is better than one that wraps.
    width += point < 0x300 || (point >= 0x2010 && point <= 0x2027) ? 1 : 2;
    if (width > columns) return `${text.slice(0, cut)}…`;
    end += character.length;
    if (width < columns) cut = end;
  }
  return text;
}
