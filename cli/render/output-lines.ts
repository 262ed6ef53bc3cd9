/** Memory for one line of a program; a longer one is shown in pieces. */
const longestLine = 65_536;

/** Makes lines of the output of a program that comes in pieces of any size. */
export class OutputLines {
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** The lines that this piece ends. */
  add(chunk: Uint8Array): string[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = lines.pop()!;
    if (this.#rest.length > longestLine) {
      lines.push(this.#rest);
      this.#rest = '';
    }
    return lines.map(lastState);
  }

  /** What is left when the program has ended. */
  end(): string[] {
    const rest = this.#rest + this.#decoder.decode();
    this.#rest = '';
    return rest === '' ? [] : [lastState(rest)];
  }
}

/** Progress bars return to the start of their line: the last state is the one to keep. */
function lastState(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf('\r') + 1);
}
