import type { Palette } from './palette.js';
import { printable, printableLine } from './printable.js';

/** What an error may have, whatever class it is of. */
interface ShownError {
  readonly message: string;
  readonly code?: unknown;
  readonly hint?: string | undefined;
  readonly place?: { readonly excerpt?: string | undefined } | undefined;
  readonly details?:
    | {
        readonly excerpt?: string | undefined;
        readonly problems?: readonly string[] | undefined;
        readonly output?: string | undefined;
        readonly tier?: string | undefined;
      }
    | undefined;
  readonly cause?: unknown;
  readonly stack?: string | undefined;
}

export interface ErrorRendering {
  /** Show stack traces. */
  readonly debug: boolean;
  readonly palette: Palette;
}

/**
 * An error as people read it: what failed, where in the Dockerfile, why, and what to do next.
 *
 *     error: there is no file "app.js" in the build context [SOURCE_NOT_FOUND]
 *     Dockerfile:3
 *     …
 *     hint: …
 */
export function renderError(error: unknown, { debug, palette }: ErrorRendering): string {
  const shown = asShown(error);
  const code = typeof shown.code === 'string' ? ` ${palette.faint(`[${printableLine(shown.code)}]`)}` : '';
  let text = `${palette.error('error:')} ${printable(shown.message).trimEnd()}${code}\n`;
  if (shown.details?.output) text += quoted(shown.details.output);
  if (shown.details?.tier) text += `  run with: ${printableLine(shown.details.tier)}\n`;
  const excerpt = shown.place?.excerpt ?? shown.details?.excerpt;
  if (excerpt) text += `${printable(excerpt).trimEnd()}\n`;
  for (const problem of shown.details?.problems ?? []) {
    if (!shown.message.includes(problem)) text += `  - ${printableLine(problem)}\n`;
  }
  for (const reason of reasons(shown)) text += `  because: ${printable(reason).trimEnd()}\n`;
  if (shown.hint && !says(shown.message, shown.hint)) text += `${palette.hint('hint:')} ${printable(shown.hint)}\n`;
  if (debug) text += stacks(error);
  else if (typeof shown.code !== 'string')
    text += `${palette.hint('hint:')} This is a fault in lading itself; --debug shows where.\n`;
  return text;
}

/** The last of what a program has said. */
function quoted(output: string): string {
  const rule = '------';
  return `${rule}\n${printable(output)}\n${rule}\n`;
}

/** Whether a hint is in the message already, as in `unknown instruction: COPPY (did you mean COPY?)`. */
function says(message: string, hint: string): boolean {
  return message.toLowerCase().includes(hint.toLowerCase().replace(/[.?]$/, ''));
}

/** The messages of the causes, as far as they say anything that has not been said. */
function reasons(error: ShownError): string[] {
  const found: string[] = [];
  let said = error.message;
  let cause = error.cause;
  for (let depth = 0; cause !== undefined && cause !== null && depth < 5; depth++) {
    const { message, cause: next } = asShown(cause);
    // A failed system call says in its own words what our message says already; one of a thread is known by them alone.
    const known = /^E[A-Z0-9]+: /.test(message) || 'syscall' in asShown(cause) || said.includes(message);
    if (message !== '' && !known) {
      found.push(message);
      said += message;
    }
    cause = next;
  }
  return found;
}

function stacks(error: unknown): string {
  let text = '';
  let current: unknown = error;
  for (let depth = 0; current instanceof Error && depth < 8; depth++) {
    text += `${depth === 0 ? '' : 'caused by '}${printable(current.stack ?? String(current))}\n`;
    current = current.cause;
  }
  return text;
}

function asShown(error: unknown): ShownError {
  if (typeof error === 'object' && error !== null && 'message' in error) return error as ShownError;
  return { message: String(error) };
}
