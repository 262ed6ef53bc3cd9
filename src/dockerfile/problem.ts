import { printable } from './printable.js';

/** A fault in one instruction, thrown by the files that read instructions and caught by the parser, which knows the place. */
export class Problem extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(printable(message, 400));
    this.hint = hint === undefined ? undefined : printable(hint, 400);
  }
}
