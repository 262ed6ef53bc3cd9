/** Shorter values would take half of an output away, and give away nothing that could not be guessed. */
const shortest = 8;
/** A value of more lines is looked for as a whole only. */
const mostLines = 100;
const mark = Buffer.from('********');

/** Takes secrets out of bytes that come in pieces of any size. */
export interface OutputMask {
  /** What can be shown by now: what may be the beginning of a secret is held back. */
  add(chunk: Uint8Array): Buffer;
  /** The rest. */
  end(): Buffer;
}

/** Pieces end with whole characters. Secrets are masked whole and line by line, since programs show lines; those of less than 8 bytes are not. */
export function outputMask(secrets: readonly Uint8Array[]): OutputMask {
  const needles = secrets.flatMap(needlesOf).sort((a, b) => b.length - a.length);
  let held: Buffer = Buffer.alloc(0);
  return {
    add(chunk) {
      const masked = replaced(Buffer.concat([held, chunk]), needles);
      const open = Math.max(openCharacter(masked), ...needles.map(needle => openAtEnd(masked, needle)));
      held = masked.subarray(masked.length - open);
      return masked.subarray(0, masked.length - open);
    },
    end() {
      const rest = held;
      held = Buffer.alloc(0);
      return rest;
    },
  };
}

function needlesOf(secret: Uint8Array): Buffer[] {
  // latin1 keeps bytes as they are.
  const text = Buffer.from(secret).toString('latin1').trim();
  const lines = text.split(/\r?\n/).map(line => line.trim());
  const parts = lines.length > mostLines ? [text] : [text, ...lines];
  return [...new Set(parts)].filter(part => part.length >= shortest).map(part => Buffer.from(part, 'latin1'));
}

function replaced(data: Buffer, needles: readonly Buffer[]): Buffer {
  let result = data;
  for (const needle of needles) {
    const pieces: Buffer[] = [];
    let from = 0;
    for (let at = result.indexOf(needle); at >= 0; at = result.indexOf(needle, from)) {
      pieces.push(result.subarray(from, at), mark);
      from = at + needle.length;
    }
    if (from > 0) result = Buffer.concat([...pieces, result.subarray(from)]);
  }
  return result;
}

/** How many bytes at the end are the beginning of a character of UTF-8: who decodes piece by piece is to see whole ones. */
function openCharacter(data: Buffer): number {
  for (let length = 1; length <= Math.min(3, data.length); length++) {
    const byte = data[data.length - length]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return length < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? length : 0;
  }
  return 0;
}

/** How many bytes at the end of the data are the beginning of the needle. */
function openAtEnd(data: Buffer, needle: Buffer): number {
  let at = data.indexOf(needle[0]!, Math.max(0, data.length - needle.length + 1));
  for (; at >= 0; at = data.indexOf(needle[0]!, at + 1)) {
    const length = data.length - at;
    if (data.compare(needle, 0, length, at) === 0) return length;
  }
  return 0;
}
