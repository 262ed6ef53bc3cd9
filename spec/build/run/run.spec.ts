import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageOptions } from '../../../src/api/build-image.js';
import { openFailedCommand } from '../../../src/api/failed-command.js';
import { chooseSandbox } from '../../../src/sandbox/choose-sandbox.js';
import { type RunResult, refusingSandbox, type Sandbox } from '../../../src/sandbox/sandbox.js';
import { openStore } from '../../../src/store/store.js';
import { writeFiles } from '../../support/building.js';
import { describeWith } from '../../support/programs.js';
import { RunWorkspace, sandboxPrograms } from '../../support/running.js';

let work: RunWorkspace;
beforeEach(() => {
  work = new RunWorkspace();
});
afterEach(() => {
  // Whatever happened.
  expect(work.leftovers()).toEqual([]);
  work.remove();
});

/** A sandbox like the real one that says something else of what has happened. */
async function saying(more: Partial<RunResult>): Promise<Sandbox> {
  const real = await chooseSandbox({ path: process.env['PATH'], scratch: work.folder });
  return { ...real, run: async request => ({ ...(await real.run(request)), ...more }) };
}

describeWith(sandboxPrograms, 'RUN', () => {
  it('makes a layer of what a command does', async () => {
    const { files, config, hits, output } = await work.build(
      'RUN echo hello; echo hi > /made; rm -r /opt/tree; chmod 700 /opt/real; ln /made /twin',
    );
    expect(output).toBe('hello\n');
    expect(hits).toEqual([false]);
    expect(files).toContain('made file 644 0:0 3');
    expect(files.some(line => line.startsWith('opt/tree'))).toBe(false);
    expect(files).toContain('opt/real directory 700 0:0');
    expect(config.rootfs.diff_ids).toHaveLength(2);
    expect(config.history?.at(-1)).toMatchObject({ created_by: expect.stringMatching(/^RUN \/bin\/sh -c echo hello/) });
  });

  it('takes what it writes to /etc/hosts for itself alone', async () => {
    const { output, files } = await work.build(
      'RUN for f in hosts resolv.conf; do echo "# mine" >> /etc/$f; grep -c mine /etc/$f; done\nRUN grep -c mine /etc/hosts || true',
    );
    expect(output).toBe('1\n1\n0\n');
    expect(files.filter(line => /^etc\/(?:hosts|resolv)/.test(line))).toEqual([]);
  });

  it('finds programs in relative folders of PATH without a shell, too', async () => {
    const { output } = await work.build(
      'WORKDIR /d\nENV PATH=own:/bin:/usr/bin\nRUN mkdir own && printf \'#!/bin/sh\\necho found\' > own/mine && chmod +x own/mine\nRUN ["mine"]',
    );
    expect(output).toBe('found\n');
  });

  it('knows no servers for names without a network', async () => {
    const { output } = await work.build('RUN --network=none cat /etc/resolv.conf; grep -c ip6 /etc/hosts');
    expect(output).toBe('5\n');
  });

  it('makes a layer where nothing changes', async () => {
    const { config } = await work.build('RUN true');
    // The empty layer of every builder.
    expect(config.rootfs.diff_ids[1]).toBe('sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef');
  });

  it('gives the same bytes whenever it is run', async () => {
    const lines = 'RUN mkdir /d && echo x > /d/x && ln -s x /d/l && touch -d @100 /d/old';
    const first = await work.build(lines);
    const other = new RunWorkspace();
    await new Promise(resolve => setTimeout(resolve, 1100));
    const second = await other.build(lines, { noCache: true });
    other.remove();
    expect(second.descriptor.digest).toBe(first.descriptor.digest);
  });

  it('stands on what is there: steps of all kinds, one on another', async () => {
    const { files, read } = await work.build(
      'WORKDIR /w\nCOPY a .\nRUN cat a > b; rm a\nCOPY d/x .\nRUN cat b x > c; touch b\nWORKDIR sub\nRUN pwd > ../where; ls .. >> ../where',
    );
    expect(files.filter(line => line.startsWith('w/')).map(line => line.split(' ')[0])).toEqual([
      'w/b',
      'w/c',
      'w/sub',
      'w/where',
      'w/x',
    ]);
    expect(await read('w/c')).toBe('ax');
    expect(await read('w/where')).toBe('/w/sub\nb\nc\nsub\nwhere\nx\n');
  });

  it('runs what several stages have in common once', async () => {
    const { events, hits } = await work.build(
      'FROM busybox AS one\nRUN echo once; echo x > /x\nFROM busybox AS two\nRUN echo once; echo x > /x\nFROM scratch\nCOPY --from=one /x /1\nCOPY --from=two /x /2',
    );
    const texts = events.flatMap(event => (event.kind === 'output' ? [Buffer.from(event.chunk).toString()] : []));
    expect(texts.join('')).toBe('once\n');
    expect(hits.slice(0, 2)).toEqual([false, false]);
  });

  it('is killed with the build, and leaves nothing', async () => {
    const stop = new AbortController();
    const failed = work.failure('RUN echo started; sleep 60', {
      signal: stop.signal,
      onEvent: () => {},
    });
    setTimeout(() => stop.abort(new Error('enough')), 1500);
    const began = performance.now();
    expect((await failed).error).toMatchObject({ message: 'enough' });
    expect(performance.now() - began).toBeLessThan(15_000);
    const store = await openStore(work.root);
    expect((await store.check()).problems).toEqual([]);
    await store.close();
    expect((await work.build('RUN echo fine > /f')).hits).toEqual([false]);
  });
});

describeWith(sandboxPrograms, 'the cache of RUN', () => {
  const hits = async (lines: string, options: Partial<BuildImageOptions> = {}) =>
    (await work.build(lines, options)).hits;

  it.each<[string, string, string, Partial<BuildImageOptions>?, Partial<BuildImageOptions>?]>([
    ['what is said of the image changed', 'LABEL a=1\nRUN true', 'LABEL a=2\nEXPOSE 80\nCMD ["x"]\nRUN true'],
    [
      'a proxy changed',
      'RUN true',
      'RUN true',
      { buildArgs: { HTTP_PROXY: 'http://a' } },
      { buildArgs: { HTTP_PROXY: 'http://b' } },
    ],
    [
      'a secret changed',
      'RUN --mount=type=secret,id=s true',
      'RUN --mount=type=secret,id=s true',
      { secrets: { s: { value: 'one' } } },
      { secrets: { s: { value: 'two' } } },
    ],
    [
      'a host has another address',
      'RUN true',
      'RUN true',
      { extraHosts: [{ host: 'h', address: '10.0.0.1' }] },
      { extraHosts: [{ host: 'h', address: '10.0.0.2' }] },
    ],
    [
      'a cache holds something else',
      'RUN --mount=type=cache,target=/c echo x > /c/x',
      'RUN --mount=type=cache,target=/c echo x > /c/x',
    ],
  ])('is hit when %s', async (_, before, after, first = {}, second = {}) => {
    await hits(before, first);
    const { hits: again, output } = await work.build(after, second);
    expect(again.at(-1)).toBe(true);
    expect(output).toBe('');
  });

  it.each<[string, string, string, Partial<BuildImageOptions>?, Partial<BuildImageOptions>?]>([
    ['the command', 'RUN true', 'RUN true '.concat('x')],
    ['a variable', 'ENV A=1\nRUN true', 'ENV A=2\nRUN true'],
    ['an argument', 'ARG A\nRUN true', 'ARG A\nRUN true', { buildArgs: { A: '1' } }, { buildArgs: { A: '2' } }],
    ['the user', 'USER app\nRUN true', 'USER svc\nRUN true'],
    ['the folder', 'WORKDIR /tmp\nRUN true', 'WORKDIR /opt\nRUN true'],
    ['the shell', 'RUN true', 'SHELL ["/bin/sh", "-e", "-c"]\nRUN true'],
    ['a script', 'RUN <<E\n#!/bin/sh\ntrue\nE', 'RUN <<E\n#!/bin/sh\ntrue x\nE'],
    ['the network', 'RUN true', 'RUN --network=none true'],
    ['the network of the build', 'RUN true', 'RUN true', {}, { network: 'none' }],
    ['the files below', 'COPY a /\nRUN true', 'COPY d /\nRUN true'],
    ['what is mounted', 'RUN --mount=target=/c true', 'RUN --mount=target=/c,source=d true'],
    ['where it is mounted', 'RUN --mount=target=/c true', 'RUN --mount=target=/d true'],
    ['a limit', 'RUN true', 'RUN true', {}, { limits: [{ name: 'nofile', soft: 99, hard: 99 }] }],
    ['the host name', 'RUN true', 'RUN true', {}, { buildArgs: { BUILDKIT_SANDBOX_HOSTNAME: 'other' } }],
    ['the time of the build', 'RUN true', 'RUN true', {}, { buildArgs: { SOURCE_DATE_EPOCH: '1' } }],
  ])('is missed when %s changed', async (_, before, after, first = {}, second = {}) => {
    await hits(before, first);
    expect((await hits(after, second)).at(-1)).toBe(false);
  });

  it('looks at what is in mounted files, not at their times', async () => {
    const lines = 'RUN --mount=target=/c cat /c/a';
    await hits(lines);
    utimesSync(join(work.context, 'a'), 1, 1_000_000_000);
    expect(await hits(lines)).toEqual([true]);
    writeFiles(work.context, { a: 'changed' });
    expect(await hits(lines)).toEqual([false]);
  });

  it('is left out when that is asked for', async () => {
    const lines = 'FROM busybox AS one\nRUN true\nFROM one AS two\nRUN echo 2';
    await hits(lines);
    expect(await hits(lines, { noCache: true })).toEqual([false, false]);
    expect(await hits(lines, { noCacheFilter: ['two'] })).toEqual([true, false]);
  });

  it('gives what it has in another compression', async () => {
    const lines = 'RUN date +%s%N > /now';
    const first = await work.build(lines);
    const other = await work.build(lines, { compression: 'none' });
    expect(other.hits).toEqual([true]);
    expect(await other.read('now')).toBe(await first.read('now'));
    expect(other.config.rootfs.diff_ids).toEqual(first.config.rootfs.diff_ids);
  });

  it('does not keep what is not certain, and says so', async () => {
    const sandbox = await saying({ uncertain: ['opt/odd'] });
    const { events } = await work.build('RUN true', { sandbox });
    expect(events).toContainEqual({ kind: 'warning', message: expect.stringContaining('/opt/odd') });
    expect((await work.build('RUN true', { sandbox })).hits).toEqual([false]);
    const { error } = await work.failure('RUN true', { sandbox, strictOwnership: true });
    expect(error).toMatchObject({ code: 'OWNERSHIP_UNCERTAIN', details: { paths: ['opt/odd'] } });
  });
});

describeWith(sandboxPrograms, 'a RUN that fails', () => {
  it.each(['echo one; echo two >&2', 'echo one >&2; echo two'])(
    'says with what, where, and what it said last (%s)',
    async command => {
      const { error, events } = await work.failure(`ENV A=1\nRUN ${command}; exit 7\nRUN true`);
      expect(error).toMatchObject({
        code: 'RUN_FAILED',
        message: expect.stringContaining('did not complete successfully: exit code: 7'),
        details: { exitCode: 7, output: expect.stringMatching(/^one\n+two\n?$/), tier: 'namespaces' },
        place: { range: { start: { line: 3 } }, excerpt: expect.stringContaining('>>> RUN echo one') },
      });
      expect(events.at(-1)).toMatchObject({ kind: 'step-failed', cancelled: false });
    },
  );

  it('says which signal ended it', async () => {
    const { error } = await work.failure('RUN kill -9 $$');
    expect(error).toMatchObject({ code: 'RUN_FAILED', details: { exitCode: 137, signal: 'SIGKILL' } });
  });

  it.each([
    ['RUN ["/no/such"]', 127],
    ['RUN ["nosuch"]', 127],
    ['RUN nosuch', 127],
    ['COPY a /a\nRUN ["/a"]', 126],
    ['RUN ["/opt"]', 126],
  ])('ends %j with %i', async (lines, exitCode) => {
    const { error } = await work.failure(lines);
    expect(error).toMatchObject({ code: 'RUN_FAILED', details: { exitCode } });
    expect(error).toHaveProperty('hint', expect.any(String));
  });

  it('is one of a user that is not there', async () => {
    const { error } = await work.failure('USER nosuch\nRUN id');
    expect(error).toMatchObject({
      code: 'INVALID_VALUE',
      message: 'unable to find user nosuch: no matching entries in passwd file',
      place: { range: { start: { line: 3 } } },
    });
  });

  it('asks for more than it is allowed', async () => {
    const host = await work.failure('RUN --network=host true');
    expect(host.error).toMatchObject({ code: 'UNSUPPORTED', place: { range: { start: { line: 2 } } } });
    expect((await work.failure('RUN --security=insecure true')).error).toMatchObject({ code: 'UNSUPPORTED' });
    const allowed = { entitlements: ['network.host', 'security.insecure'] } as const;
    await work.build('RUN --network=host true\nRUN --security=insecure true', allowed);
  });

  it('is not in the cache', async () => {
    await work.failure('RUN false');
    expect((await work.failure('RUN false')).error).toMatchObject({ code: 'RUN_FAILED' });
  });

  it('leaves its files where that is asked for', async () => {
    const open = async () => {
      const store = await openStore(work.root);
      return { store, failed: await openFailedCommand(store).finally(() => {}) };
    };
    await work.failure('RUN echo x > /x; false');
    const none = await openStore(work.root);
    await expect(openFailedCommand(none)).rejects.toMatchObject({ code: 'REFERENCE_NOT_FOUND' });
    await none.close();
    await work.failure('RUN echo said > /log; rm /opt/real/f; chmod 700 /tmp; exit 3', { keepFailed: true });
    const { store, failed } = await open();
    expect(failed).toMatchObject({ exitCode: 3, line: 2 });
    expect(failed.changes()).toEqual([
      { kind: 'added', path: '/log' },
      { kind: 'changed', path: '/opt' },
      { kind: 'changed', path: '/opt/real' },
      { kind: 'deleted', path: '/opt/real/f' },
      { kind: 'changed', path: '/tmp' },
    ]);
    expect(failed.list('/log')).toMatchObject([{ name: 'log', type: 'file', mode: 0o644, size: 5 }]);
    expect(failed.list('/opt').map(({ name }) => name)).toContain('real');
    const chunks: Buffer[] = [];
    for await (const chunk of failed.read('/log')) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('said\n');
    expect(() => failed.list('/gone')).toThrow(expect.objectContaining({ code: 'PATH_NOT_FOUND' }));
    expect(() => failed.read('/opt')).toThrow(expect.objectContaining({ code: 'PATH_INVALID' }));
    await store.close();
  });
});

describe('without a sandbox', () => {
  it('RUN is refused with its line before anything is built', async () => {
    const { error, events } = await work.failure('COPY a /\nRUN true', { sandbox: refusingSandbox('nothing') });
    expect(error).toMatchObject({ code: 'RUN_UNAVAILABLE', place: { range: { start: { line: 3 } } } });
    expect(events.filter(event => event.kind === 'step-started')).toEqual([]);
  });
});
