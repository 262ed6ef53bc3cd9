import { createWriteStream, type WriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasErrno } from '../store/io-error.js';
import type { CallOptions } from '../stream/bytes.js';

/** A piece of the output of a process. */
export interface LogEntry {
  readonly stream: 'stdout' | 'stderr';
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly text: string;
}

/** Keeps the output of a process, in order, a line of JSON for each piece. */
export class ContainerLog {
  readonly #file: WriteStream;
  readonly #now: () => number;
  readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };

  private constructor(file: WriteStream, now: () => number) {
    this.#file = file;
    this.#now = now;
    // A full disk must not end the process that is logged.
    file.on('error', () => {});
  }

  static async open(path: string, now: () => number): Promise<ContainerLog> {
    const handle = await open(path, 'a', 0o600);
    return new ContainerLog(createWriteStream(path, { fd: handle, flags: 'a' }), now);
  }

  add(stream: 'stdout' | 'stderr', chunk: Uint8Array): void {
    this.#write(stream, this.#decoders[stream].write(Buffer.from(chunk)));
  }

  async close(): Promise<void> {
    for (const stream of ['stdout', 'stderr'] as const) this.#write(stream, this.#decoders[stream].end());
    await new Promise<void>(resolve => this.#file.end(() => resolve()));
  }

  #write(stream: 'stdout' | 'stderr', text: string): void {
    if (text !== '') this.#file.write(`${JSON.stringify({ stream, timeMs: this.#now(), text })}\n`);
  }
}

export interface ReadLogOptions extends CallOptions {
  /** Go on as long as the process runs. */
  readonly follow?: (() => Promise<boolean>) | undefined;
}

const pollMs = 200;

/** What has been kept, oldest first. @throws what reading throws; of a log that is not there nothing comes */
export async function* readLog(path: string, { follow, signal }: ReadLogOptions = {}): AsyncGenerator<LogEntry> {
  let position = 0;
  for (;;) {
    // Asked before reading, so that what was written last is read.
    const runs = (await follow?.()) ?? false;
    for await (const { entry, end } of entriesFrom(path, position, signal)) {
      position = end;
      if (entry !== undefined) yield entry;
    }
    if (!runs) return;
    await sleep(pollMs, undefined, { signal });
  }
}

async function* entriesFrom(
  path: string,
  start: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ entry: LogEntry | undefined; end: number }> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return;
    throw error;
  }
  const { size } = await handle.stat();
  let end = start;
  if (size === start) {
    await handle.close();
    return;
  }
  const lines = createInterface({ input: handle.createReadStream({ start, end: size - 1, signal, encoding: 'utf8' }) });
  for await (const line of lines) {
    const next = end + Buffer.byteLength(line) + 1;
    // The last line may still be in the writing.
    if (next > size) return;
    end = next;
    yield { entry: parse(line), end };
  }
}

function parse(line: string): LogEntry | undefined {
  try {
    const { stream, timeMs, text } = JSON.parse(line) as LogEntry;
    if ((stream !== 'stdout' && stream !== 'stderr') || typeof text !== 'string' || typeof timeMs !== 'number')
      return undefined;
    return { stream, timeMs, text };
  } catch {
    return undefined;
  }
}
