/**
 * The command line is misused: exit code 2. It has the shape of the library's errors without being one, so that a
 * mistyped option is answered without loading the library.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code: 'USAGE' | 'UNSUPPORTED';
  readonly hint: string | undefined;

  constructor(message: string, hint?: string, code: 'USAGE' | 'UNSUPPORTED' = 'USAGE') {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}
