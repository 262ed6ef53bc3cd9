/** What is kept of the end of an output, in bytes and in lines. */
const byteLimit = 16 * 1024;
const lineLimit = 20;

/** The last lines of an output of any length. */
export class OutputTail {
  #kept: Buffer = Buffer.alloc(0);

  add(chunk: Uint8Array): void {
    const joined = Buffer.concat([this.#kept, chunk.subarray(-byteLimit)]);
    this.#kept = joined.subarray(-byteLimit);
  }

  get text(): string {
    const lines = this.#kept.toString('utf8').trimEnd().split('\n');
    return lines.slice(-lineLimit).join('\n');
  }
}
