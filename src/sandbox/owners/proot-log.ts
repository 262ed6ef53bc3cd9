import { decodePath } from '../../tree/path.js';
import { isLook, isOwnerCall } from './owner-calls.js';
import type { OwnerTrace } from './owner-trace.js';

interface Underway {
  readonly name: string;
  readonly paths: string[];
}

interface Speaker {
  readonly pid: number;
  /** Whether that is a number of proot's own. */
  readonly own: boolean;
}

const forks = new Set(['clone', 'fork', 'vfork']);
const prefix = 'proot info: ';
const longestLine = 1024 * 1024;

/**
 * Reads what proot says at its most verbose (`-v 5`), as it comes. Of every call it writes where it begins, where its paths
 * lead to, and how it ends; lines of several processes are mixed.
 */
export class ProotLog {
  readonly #trace: OwnerTrace;
  readonly #seen = new Set<number>();
  readonly #underway = new Map<number, Underway>();
  #rest = '';
  /** A line that may go on: names can have line ends in them. */
  #line = '';

  constructor(trace: OwnerTrace) {
    this.#trace = trace;
  }

  /** The end of what was said, for messages. */
  get last(): string {
    return (this.#line + this.#rest).slice(-2000).trim();
  }

  write(chunk: Buffer): void {
    // A name need not be UTF-8.
    const text = this.#rest + chunk.toString('latin1');
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      const part = text.slice(start, end);
      start = end + 1;
      if (part.startsWith(prefix)) {
        if (this.#line !== '') this.#read(this.#line);
        this.#line = part;
      } else if (this.#line.length < longestLine) this.#line += `\n${part}`;
    }
    this.#rest = text.slice(start);
  }

  end(): void {
    if (this.#line !== '') this.#read(this.#line);
    this.#line = '';
  }

  #read(line: string): void {
    // Newer versions number processes on their own.
    const own = line.startsWith('v', prefix.length);
    const at = prefix.length + (own ? 5 : 4);
    const colon = line.indexOf(': ', at);
    const pid = Number(line.slice(at, colon));
    if (colon === -1 || !Number.isInteger(pid)) return;
    const from = colon + 2;
    if (line.startsWith('exited with ', from) || line.startsWith('terminated with ', from)) {
      this.#seen.delete(pid);
      this.#underway.delete(pid);
      this.#trace.tracees.ended(pid);
      return;
    }
    if (line.startsWith('sysenter start: ', from)) {
      if (!this.#seen.has(pid)) {
        this.#seen.add(pid);
        this.#trace.tracees.of(pid);
      }
      this.#begin(pid, line, from + 16);
      return;
    }
    const underway = this.#underway.get(pid);
    if (underway === undefined) return;
    if (line.startsWith('         -> "', from)) {
      underway.paths.push(decodePath(Buffer.from(line.slice(from + 13, -1), 'latin1')));
    } else if (line.startsWith('sysexit end: ', from)) {
      this.#underway.delete(pid);
      this.#finish({ pid, own }, underway, line, from + 13);
    }
  }

  #begin(pid: number, line: string, at: number): void {
    const name = line.slice(at, line.indexOf('(', at));
    if (!isOwnerCall(name) || (isLook(name) && !this.#trace.copies(pid))) {
      if (this.#underway.size > 0) this.#underway.delete(pid);
      return;
    }
    this.#underway.set(pid, { name, paths: [] });
    if (forks.has(name)) this.#trace.tracees.born(pid, name === 'clone' ? numbers(line, at)[0]! : 0);
  }

  #finish({ pid, own }: Speaker, { name, paths }: Underway, line: string, at: number): void {
    const result = Number.parseInt(line.slice(line.lastIndexOf(') = 0x') + 4), 16);
    // Above are the negative numbers, which are errors.
    const failed = result > Number.MAX_SAFE_INTEGER || (result > 0xfffff000 && result <= 0xffffffff);
    if (forks.has(name)) {
      this.#trace.tracees.bore(pid, { failed, child: own || failed ? undefined : result });
      return;
    }
    if (!failed) this.#trace.call({ pid, name, args: numbers(line, at), paths, result });
  }
}

function numbers(line: string, at: number): number[] {
  const open = line.indexOf('(', at);
  return line
    .slice(open + 1, line.indexOf(')', open))
    .split(', ')
    .map(word => Number.parseInt(word.length > 10 ? word.slice(-8) : word.slice(2), 16));
}
