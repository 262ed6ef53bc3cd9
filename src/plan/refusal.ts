import { atPlace, LadingError, type SourceRange } from '../errors/errors.js';

/** A Dockerfile that cannot be built as it is written, whatever its base images and arguments are. */
export function refusal(
  range: SourceRange,
  message: string,
  hint?: string,
  also?: readonly SourceRange[],
): LadingError {
  const place = also === undefined ? { range } : { range, also };
  return new LadingError('DOCKERFILE_SYNTAX', shortened(message), { details: { range }, hint, place });
}

/** A value, after expansion, that an instruction does not take. The place is added by {@link placed}. */
export function invalidValue(what: string, value: string, message: string, hint?: string): LadingError {
  return new LadingError('INVALID_VALUE', shortened(message), { details: { what, value: value.slice(0, 200) }, hint });
}

/** Runs `work`; its failures get the place in the Dockerfile that they come from. */
export function placed<T>(range: SourceRange, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw atPlace(error, { range });
  }
}

/** Text of the Dockerfile as it goes into messages and titles: values can be as long as a line may be. */
export function shortened(text: string): string {
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}
