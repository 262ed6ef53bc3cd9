import { describe, expect, it } from 'vitest';
import type { Platform } from '../../src/oci/platform.js';
import { emptyLayer } from '../../src/plan/history.js';
import { finalConfig, finalPlatform, scratchState, stateFromImage } from '../../src/plan/lower.js';
import type { CopyStep } from '../../src/plan/step.js';
import { failureOf, plainBase, planTarget } from './support.js';

const texts = (text: string) => planTarget(`FROM base\n${text}`).steps.map(step => step.createdBy);
const linux = { os: 'linux', architecture: 'amd64' };

describe('planStage', () => {
  it('gives every instruction one step, and FROM and ONBUILD none', () => {
    const { steps } = planTarget('FROM a\nRUN x\nONBUILD RUN y\nWORKDIR /\nWORKDIR /w\nENV a=b\nADD x /');
    expect(steps.map(step => step.kind)).toEqual(['run', 'config', 'workdir', 'config', 'copy']);
    expect(steps.map(emptyLayer)).toEqual([false, true, false, true, false]);
  });

  it('shows instructions as they are written, with the keyword in capitals', () => {
    const { steps } = planTarget('FROM a\nrun   echo $HOME \\\n  done\nCoPy --chown=$x a b');
    expect(steps.map(step => step.title)).toEqual(['RUN   echo $HOME   done', 'COPY --chown=$x a b']);
    expect(steps.map(({ range }) => [range.start.line, range.end.line])).toEqual([
      [2, 3],
      [4, 4],
    ]);
  });

  it('puts triggers at the FROM that brings them in', () => {
    const { steps, state } = planTarget(
      'FROM a\nARG x\nONBUILD RUN x\nFROM b\nRUN y',
      {},
      {
        ...plainBase,
        config: { OnBuild: ['run x', 'ENV a=b'] },
      },
    );
    expect(steps.map(({ title, range }) => [title, range.start.line])).toEqual([
      ['ONBUILD RUN x', 4],
      ['ONBUILD ENV a=b', 4],
      ['RUN y', 5],
    ]);
    expect(state.config.OnBuild).toBeUndefined();
  });

  it('gives steps that a cache can write down', () => {
    const { steps } = planTarget('FROM a\nRUN --mount=type=cache,target=/c x\nCOPY <<E /\nE\nWORKDIR /x');
    expect(JSON.parse(JSON.stringify(steps))).toEqual(steps);
  });

  it('does not depend on proxy settings but for what is added at run time', () => {
    const [plain] = planTarget('FROM a\nRUN x').steps;
    const [proxied] = planTarget('FROM a\nRUN x', { buildArgs: { HTTP_PROXY: 'h' } }).steps;
    expect({ ...proxied, proxyEnv: [] }).toEqual(plain);
  });

  it('expands the words of one instruction in the environment before it', () => {
    expect(texts('ENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc')).toEqual([
      'ENV abc=hello',
      'ENV abc=bye def=hello',
      'ENV ghi=bye',
    ]);
  });

  it.each([
    ['ENV A=1 A=2', ['ENV A=1 A=2']],
    ['LABEL "a b"=c', ['LABEL a b=c']],
    ['CMD []', ['CMD []']],
    ['CMD ["a b", "\\u00e9\\n"]', ['CMD ["a b" "é\\n"]']],
    ['VOLUME ["/a"]', ['VOLUME [/a]']],
    ['USER', undefined],
    ['RUN --mount=type=secret,id=x --network=none make', ['RUN /bin/sh -c make # buildkit']],
    ['COPY --from=x --link --exclude=y a b', ['COPY a b # buildkit']],
    ['ADD --unpack=false --keep-git-dir a b', ['ADD a b # buildkit']],
  ])('leaves the history of %s', (text, expected) => {
    if (expected === undefined) expect(() => texts(text)).toThrow();
    else expect(texts(text)).toEqual(expected);
  });

  it.each([
    ['COPY http://example.org/a /', 'INVALID_VALUE'],
    ['COPY https://example.org/a.git /', 'INVALID_VALUE'],
    ['ARG u=http://x/y\nCOPY $u /', 'INVALID_VALUE'],
    ['COPY --chmod=64a a /', 'INVALID_VALUE'],
    ['COPY --chmod=8 a /', 'INVALID_VALUE'],
    ['COPY --chmod=10000 a /', 'INVALID_VALUE'],
    ['COPY --chmod=u+q a /', 'INVALID_VALUE'],
    ['COPY --chmod=u+x, a /', 'INVALID_VALUE'],
    ['ADD --chmod=x a /', 'INVALID_VALUE'],
    ['ADD --checksum=sha256:00 a /', 'INVALID_VALUE'],
    ['ADD --checksum=sha256:00 http://x/a /', 'INVALID_VALUE'],
    ['ADD --checksum=nothing http://x/a /', 'INVALID_VALUE'],
    ['ADD --checksum=md5:00 http://x/a /', 'INVALID_VALUE'],
    [`ADD --checksum=sha256:${'0'.repeat(64)} http://x/a http://x/b /`, 'INVALID_VALUE'],
    ['ADD https://x/y.git?depth=1 /', 'INVALID_VALUE'],
    ['ARG r=a..b\nADD https://x/y.git#$r /', 'INVALID_VALUE'],
    ['ADD --checksum=sha256:00 https://x/y.git /', 'INVALID_VALUE'],
    ['ADD --keep-git-dir https://x/y.git?keep-git-dir=false /', 'INVALID_VALUE'],
    [`ADD --checksum=00 https://x/y.git#${'1'.repeat(40)} /`, 'DIGEST_MISMATCH'],
    ['RUN --device=gpu x', 'UNSUPPORTED'],
    ['RUN []', 'INVALID_VALUE'],
    ['VOLUME $UNSET', 'INVALID_VALUE'],
    ['STOPSIGNAL NOPE', 'INVALID_VALUE'],
    ['EXPOSE $A-$B', 'INVALID_VALUE'],
    ['LABEL a=${', 'BAD_SUBSTITUTION'],
    ['COPY <<E /\n${\nE', 'BAD_SUBSTITUTION'],
    ['RUN --mount=target=${ x', 'BAD_SUBSTITUTION'],
  ])('refuses %j with the place', (text, code) => {
    const error = failureOf(() => texts(text));
    expect(error.code).toBe(code);
    expect(error.place?.range).toMatchObject({ file: 'Dockerfile', start: { line: text.startsWith('ARG') ? 3 : 2 } });
    expect(error.hint).toBeTruthy();
  });

  it.each([`sha256:${'a'.repeat(64)}`, `sha512:${'0'.repeat(128)}`])('takes the checksum %s', checksum => {
    const [step] = planTarget(`FROM a\nADD --checksum=${checksum} http://x/y /`).steps;
    expect((step as CopyStep).checksum).toBe(checksum);
  });

  it.each(['0', '7', '0644', '7777', '007777', 'a+x', 'u=rwX,go=rX', 'g=u', '+t,-w', 'u+r-w'])(
    'takes --chmod=%s',
    chmod => {
      const [step] = planTarget(`FROM a\nCOPY --chmod=${chmod} x /`).steps;
      expect((step as CopyStep).chmod).toBe(chmod);
    },
  );

  it('checks a hostile mode in linear time', () => {
    expect(() => texts(`COPY --chmod=${'u+r'.repeat(10_000)}! a /`)).toThrow();
  });

  it('warns of variables that nothing sets, declares or inherits', () => {
    const text =
      'FROM a\nARG DECLARED\nENV SETTING=1\nLABEL a=$DECLARED$SETTING$PATH b=$SETTNG c=${NONE:-x}\nRUN $x\nCOPY $PWD <<E /\n$doc\nE';
    const { diagnostics } = planTarget(text);
    expect(
      diagnostics.map(({ rule, message, range }) => [rule, range.start.line, /'\$(\w+)'/.exec(message)?.[1]]),
    ).toEqual([
      ['UndefinedVar', 4, 'SETTNG'],
      ['UndefinedVar', 4, 'NONE'],
      ['UndefinedVar', 6, 'PWD'],
      ['UndefinedVar', 6, 'doc'],
    ]);
    expect(diagnostics[0]!.message).toContain('did you mean $SETTING?');
  });
});

describe('stateFromImage', () => {
  const arm = { os: 'linux', architecture: 'arm', variant: 'v7' };

  it('believes what an image says of its platform', () => {
    expect(stateFromImage(plainBase, arm).platform).toEqual(linux);
    expect(stateFromImage({ ...plainBase, architecture: 'arm64', variant: 'v8' }, arm).platform).toEqual({
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
    });
  });

  it('falls back on the platform that was asked for', () => {
    expect(stateFromImage({ ...plainBase, os: '', architecture: '' }, arm).platform).toEqual(arm);
  });

  it('takes an image without a configuration', () => {
    const { rootfs } = plainBase;
    expect(stateFromImage({ ...linux, rootfs }, linux)).toEqual({ platform: linux, config: {}, args: [] });
  });
});

describe('finalConfig', () => {
  it('lets labels from outside win', () => {
    const state = { ...scratchState(linux), config: { Labels: { a: '1', b: '2' } } };
    expect(finalConfig(state, { b: '3', ['__proto__']: 'p' })).toEqual({
      Labels: Object.fromEntries([
        ['a', '1'],
        ['b', '3'],
        ['__proto__', 'p'],
      ]),
    });
    expect(finalConfig(scratchState(linux))).not.toHaveProperty('Labels');
  });
});

describe('finalPlatform', () => {
  const arm = { os: 'linux', architecture: 'arm', variant: 'v7' };

  it.each<[string, Platform, Platform | undefined, Platform]>([
    ['what the base says', arm, undefined, arm],
    ['what was asked for', arm, linux, linux],
    ['what the base says more exactly', arm, { os: 'linux', architecture: 'arm', variant: undefined }, arm],
    ['the variant that was asked for', arm, { ...arm, variant: 'v6' }, { ...arm, variant: 'v6' }],
  ])('is %s', (_, said, asked, platform) => {
    expect(finalPlatform(scratchState(said), asked)).toEqual(platform);
  });
});
