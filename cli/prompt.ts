import type { CliContext } from './context.js';
import { UsageError } from './usage-error.js';

/**
 * Asks the person at the terminal, key by key: what is typed is shown, unless it is hidden. Keys that were typed ahead
 * are kept for the next question. Close it to give the terminal back.
 */
export class Prompt {
  readonly #context: CliContext;
  #typed = '';

  constructor(context: CliContext) {
    this.#context = context;
    const { stdin } = context;
    if (stdin.isTTY) stdin.setRawMode?.(true);
    stdin.setEncoding('utf8');
  }

  /** One line, without its end. @throws UsageError when there is no line */
  async ask(question: string, { hidden = false } = {}): Promise<string> {
    const { stdin, stderr, signal } = this.#context;
    stderr.write(question);
    let line = '';
    for (;;) {
      for (const key of this.#take()) {
        if (key === '\r' || key === '\n') {
          stderr.write('\n');
          return line;
        }
        if (key === '\u0003') this.#context.interrupt();
        signal.throwIfAborted();
        if (key === '\u0004' && line === '') throw new UsageError('the input ended before an answer');
        if (key === '\u0015') line = '';
        else if (key === '\u007f' || key === '\b') line = [...line].slice(0, -1).join('');
        else if (key >= ' ') line += key;
        if (!hidden) stderr.write(`\r\u001b[K${question}${line}`);
      }
      // Keys such as the arrows mean nothing here.
      this.#typed = (await nextText(stdin, signal)).replace(/\u001b(?:\[[0-9;]{0,9}[A-Za-z~]|O?.)?/g, '');
    }
  }

  close(): void {
    const { stdin } = this.#context;
    if (stdin.isTTY) stdin.setRawMode?.(false);
    stdin.pause();
  }

  /** Keys one by one, so that what follows a line stays for the next. */
  *#take(): Generator<string> {
    while (this.#typed !== '') {
      const [key = ''] = this.#typed;
      this.#typed = this.#typed.slice(key.length);
      yield key;
    }
  }
}

function nextText(stdin: CliContext['stdin'], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      stdin.off('data', onData).off('end', onEnd).off('error', onError).pause();
      signal.removeEventListener('abort', onAbort);
      act();
    };
    const onData = (text: string): void => settle(() => resolve(text));
    const onEnd = (): void => settle(() => reject(new UsageError('the input ended before an answer')));
    const onError = (error: Error): void => settle(() => reject(error));
    const onAbort = (): void => settle(() => reject(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    stdin.on('data', onData).on('end', onEnd).on('error', onError).resume();
  });
}
