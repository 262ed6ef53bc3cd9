import { describe, expect, it } from 'vitest';
import { renderError } from '../../../cli/render/error.js';
import { palette } from '../../../cli/render/palette.js';
import { LadingError } from '../../../src/index.js';

const plain = palette({}, {});

function shown(error: unknown, debug = false): string {
  return renderError(error, { debug, palette: plain });
}

describe('renderError', () => {
  it('says what, where, why and what next', () => {
    const start = { line: 2, column: 1 };
    const error = new LadingError('FILE_CHANGED', 'COPY failed', {
      details: { path: 'x' },
      place: { range: { file: 'Dockerfile', start, end: start }, excerpt: 'Dockerfile:2\n----\n>>> COPY\n----\n' },
      cause: new Error('the disk is on fire', { cause: new Error('somebody lit it') }),
      hint: 'Put it out.',
    });
    expect(shown(error)).toBe(
      'error: COPY failed [FILE_CHANGED]\nDockerfile:2\n----\n>>> COPY\n----\n' +
        '  because: the disk is on fire\n  because: somebody lit it\nhint: Put it out.\n',
    );
  });

  it('shows what a command said last, and how it was run', () => {
    const error = new LadingError('RUN_FAILED', 'process "false" did not complete successfully: exit code: 1', {
      details: {
        range: { file: 'Dockerfile', start: { line: 2, column: 1 }, end: { line: 2, column: 9 } },
        exitCode: 1,
        output: 'one\n\u001b[31mtwo',
        tier: 'namespaces',
      },
    });
    expect(shown(error)).toBe(
      [
        'error: process "false" did not complete successfully: exit code: 1 [RUN_FAILED]',
        '------',
        'one',
        'two',
        '------',
        '  run with: namespaces',
        '',
      ].join('\n'),
    );
  });

  it('says nothing twice', () => {
    const cause = new Error("ENOENT: no such file, open 'x'", {
      cause: Object.assign(new Error('connect ECONNREFUSED'), { syscall: 'connect' }),
    });
    const details = { path: 'x', errno: 'ENOENT' };
    const error = new LadingError('IO', 'x: no such file (did you mean y?)', {
      details,
      cause,
      hint: 'Did you mean y?',
    });
    expect(shown(error)).toBe('error: x: no such file (did you mean y?) [IO]\n');
  });

  it('lists all that is wrong with an image', () => {
    const details = { digest: 'sha256:0', problems: ['a is missing', 'b is\nlarge'] };
    const error = new LadingError('IMAGE_INVALID', 'the image is not sound', { details });
    expect(shown(error)).toBe('error: the image is not sound [IMAGE_INVALID]\n  - a is missing\n  - b is large\n');
  });

  it('calls a fault of its own what it is', () => {
    expect(shown(new TypeError('x is not a function'))).toBe(
      'error: x is not a function\nhint: This is a fault in lading itself; --debug shows where.\n',
    );
    expect(shown('thrown text')).toContain('error: thrown text\n');
    expect(shown(undefined)).toContain('error: undefined\n');
  });

  it('shows stacks of all causes with --debug', () => {
    const text = shown(new Error('outer', { cause: new Error('inner') }), true);
    expect(text).toMatch(/Error: outer\n {4}at [\s\S]*caused by Error: inner\n {4}at /);
  });

  it('cleans text from elsewhere', () => {
    const details = { url: 'https://x', problem: 'p' };
    const error = new LadingError('REGISTRY_PROTOCOL', 'said \u001b[2Jhello\u202e', { details, hint: '\u001b[1mx' });
    expect(shown(error)).toBe('error: said hello\ufffd [REGISTRY_PROTOCOL]\nhint: x\n');
  });
});
