import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDockerfile } from '../../src/dockerfile/parser.js';
import { isLadingError } from '../../src/errors/errors.js';
import { planAll } from './support.js';

const pieces = [
  '$A',
  '${A:-x}',
  '${B',
  "'",
  '"',
  '\\',
  '/',
  '..',
  '=',
  ',',
  ':',
  '<<E',
  'type=cache',
  'target=',
  '0',
  'b',
  ' ',
];
const word = fc.array(fc.constantFrom(...pieces), { maxLength: 4 }).map(parts => parts.join(''));
const keywords =
  'ARG ENV LABEL EXPOSE VOLUME WORKDIR USER STOPSIGNAL CMD ENTRYPOINT SHELL HEALTHCHECK ONBUILD COPY ADD RUN'.split(
    ' ',
  );
const prefixes = ['', '', '', 'A=', '--from=', '--mount=', '--chown=', '--chmod=', '["', 'COPY --from=0 ', '8'];
const instruction = fc
  .tuple(fc.constantFrom(...keywords), fc.constantFrom(...prefixes), word, word)
  .map(([keyword, prefix, first, second]) => `${keyword} ${prefix}${first} ${second}`);
const from = fc
  .tuple(fc.constantFrom('base', 'scratch', 's0', 's1', '$A', '${A:-base}'), fc.constantFrom('', ' AS s0', ' AS s1'))
  .map(([image, name]) => `FROM ${image}${name}`);
const file = fc
  .tuple(
    from,
    fc.array(fc.oneof({ weight: 1, arbitrary: from }, { weight: 4, arbitrary: instruction }), { maxLength: 8 }),
  )
  .map(([first, rest]) => [first, ...rest].join('\n'));

describe('any Dockerfile that parses', () => {
  it('is planned, or refused at a place, and planned the same again', () => {
    let planned = 0;
    fc.assert(
      fc.property(file, text => {
        fc.pre(parseDockerfile(text).diagnostics.every(({ severity }) => severity !== 'error'));
        const first = outcome(text);
        planned += first.startsWith('[') ? 1 : 0;
        expect(outcome(text)).toBe(first);
      }),
      { numRuns: 500, maxSkipsPerRun: 1000 },
    );
    expect(planned).toBeGreaterThan(20);
  });
});

function outcome(text: string): string {
  try {
    return JSON.stringify([...planAll(text).plans]);
  } catch (error) {
    if (!isLadingError(error)) throw error;
    expect(error.place?.range.start.line, error.message).toBeGreaterThan(0);
    return `${error.code} ${error.message}`;
  }
}
