import type { CliContext, OutputStream } from '../context.js';
import { fitLine } from './printable.js';

/** Where progress is shown: lines that stay, and lines that say how far something is and go when it is done. */
export interface ProgressView {
  /** A line that stays. */
  line(text: string): void;
  /** How far something is, or with `undefined`, that it is over. Shown where lines can be drawn again. */
  status(key: string, text: string | undefined): void;
  /** Takes away what does not stay. */
  end(): void;
}

/** For files, pipes and logs: what stays, and nothing else. */
export function plainView(stream: OutputStream): ProgressView {
  return {
    line: text => void stream.write(`${text}\n`),
    status: () => {},
    end: () => {},
  };
}

/** Milliseconds between two drawings. */
const drawEvery = 100;
/** More at a time is no help to anybody. */
const mostLines = 12;

/** For terminals: below the lines that stay, the present state, drawn at most ten times a second. */
export function liveView(stream: OutputStream, now: CliContext['now']): ProgressView {
  const states = new Map<string, string>();
  let pending = '';
  let drawn = 0;
  let lastDrawn = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const draw = (): void => {
    clearTimeout(timer);
    timer = undefined;
    lastDrawn = now();
    const columns = (stream.columns || 80) - 1;
    const lines = [...states.values()].slice(0, mostLines).map(text => fitLine(text, columns));
    if (states.size > mostLines) lines.push(`… and ${states.size - mostLines} more`);
    const erase = drawn === 0 ? '' : `\x1b[${drawn}A\x1b[0J`;
    const text = erase + pending + lines.map(line => `${line}\n`).join('');
    if (text !== '') stream.write(text);
    pending = '';
    drawn = lines.length;
  };
  const drawSoon = (): void => {
    if (timer !== undefined) return;
    const wait = lastDrawn + drawEvery - now();
    if (wait <= 0) draw();
    // Unreferenced: a drawing that is due keeps no process alive.
    else timer = setTimeout(draw, wait).unref();
  };
  return {
    line: text => {
      pending += `${text}\n`;
      drawSoon();
    },
    status: (key, text) => {
      if (text === undefined) {
        if (!states.delete(key)) return;
      } else {
        states.set(key, text);
      }
      drawSoon();
    },
    end: () => {
      states.clear();
      draw();
    },
  };
}
