import type { SourceRange } from '../../src/index.js';

/** Lines of a Dockerfile, from 1, in the form that BuildKit gives to them in JSON. */
export interface SourceLocation {
  readonly ranges: ReadonlyArray<{
    readonly start: { readonly line: number };
    readonly end: { readonly line: number };
  }>;
}

export function locationOf({ start, end }: SourceRange): SourceLocation {
  return { ranges: [{ start: { line: start.line }, end: { line: end.line } }] };
}
