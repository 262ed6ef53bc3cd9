import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isLadingError } from '../../../src/errors/errors.js';
import { writeFiles } from '../../support/building.js';
import { describeWith } from '../../support/programs.js';
import { RunWorkspace, sandboxPrograms } from '../../support/running.js';

let work: RunWorkspace;
beforeEach(() => {
  work = new RunWorkspace();
});
afterEach(() => {
  expect(work.leftovers()).toEqual([]);
  work.remove();
});

describeWith(sandboxPrograms, 'RUN --mount=type=bind', () => {
  it('shows the context, without what is ignored, as root has it', async () => {
    writeFiles(work.context, { '.dockerignore': 'd', s: '-> /etc/passwd' });
    const { output, files } = await work.build(
      'RUN --mount=target=/ctx cd /ctx && find . | sort && stat -c "%u:%g" a && readlink s',
    );
    expect(output).toBe('.\n./.dockerignore\n./a\n./s\n0:0\n/etc/passwd\n');
    expect(files.filter(line => line.startsWith('ctx'))).toEqual([]);
  });

  it('is read-only, or forgotten', async () => {
    const { output } = await work.build(
      [
        'RUN --mount=target=/ctx (echo no > /ctx/new) 2>/dev/null || echo refused',
        'RUN --mount=target=/ctx,rw echo yes > /ctx/new && rm /ctx/a && ls /ctx',
        'RUN --mount=target=/ctx,rw ls /ctx',
        'RUN --mount=target=/ctx ls /ctx',
      ].join('\n'),
    );
    expect(output).toMatch(/refused\nd\nnew\na\nd\na\nd\n$/);
    expect(readdirSync(work.context).sort()).toEqual(['a', 'd']);
  });

  it('takes files and folders, links followed inside of their source alone', async () => {
    writeFiles(work.context, { l: '-> d/x', out: '-> ../../../../../../etc/hostname', top: '-> /a' });
    const { output, files } = await work.build(
      [
        'RUN --mount=source=a,target=/new/file cat /new/file; ls /new',
        'RUN --mount=source=l,target=/f cat /f',
        'RUN --mount=source=d,target=/d ls /d',
        'RUN --mount=source=/top,target=/f cat /f',
        'RUN --mount=source=../../d,target=/d ls /d',
      ].join('\n'),
    );
    expect(output).toBe('afile\nxx\nax\n');
    expect(files.filter(line => /^(?:new|f |d )/.test(line))).toEqual([]);
    const { error } = await work.failure('RUN --mount=source=out,target=/f cat /f');
    expect(error).toMatchObject({ code: 'SOURCE_NOT_FOUND', place: { range: { start: { line: 2 } } } });
    expect((await work.failure('RUN --mount=source=nosuch,target=/f true')).error).toMatchObject({
      code: 'SOURCE_NOT_FOUND',
    });
  });

  it('takes files of stages, images and named contexts, with their owners', async () => {
    const named = writeFiles(join(work.folder, 'named'), { n: 'named' });
    const { output } = await work.build(
      [
        'FROM busybox AS src',
        'RUN echo built > /f && chown 5:6 /f && chmod 640 /f && ln -s f /l',
        'FROM busybox',
        'RUN --mount=from=src,target=/s stat -c "%u:%g %a" /s/f; readlink /s/l',
        'RUN --mount=from=src,source=/l,target=/x cat /x',
        'RUN --mount=from=busybox,source=/etc,target=/e grep -c root: /e/passwd',
        'RUN --mount=from=named,target=/n cat /n/n',
      ].join('\n'),
      { buildContexts: { named } },
    );
    expect(output).toBe('5:6 640\nf\nbuilt\n1\nnamed');
  });

  it('lies over what is there, one inside another', async () => {
    const { output, files } = await work.build(
      'RUN --mount=source=d,target=/opt/real/d --mount=type=tmpfs,target=/opt/real/d/x/../../d --mount=target=/opt/real ls /opt/real; ls /opt/real/d',
    );
    expect(output).toBe('a\nd\n');
    expect(files).toContain('opt/real directory 755 0:0');
  });

  it('goes to where links of the image lead, which is inside of it', async () => {
    const before = readdirSync('/etc').length;
    const { output } = await work.build(
      'RUN ln -s /etc /link && ln -s ../../../../../../../tmp /out\nRUN --mount=source=a,target=/link/lading-a --mount=source=a,target=/out/lading-a cat /etc/lading-a /tmp/lading-a',
    );
    expect(output).toBe('aa');
    expect(readdirSync('/etc')).toHaveLength(before);
  });
});

describeWith(sandboxPrograms, 'RUN --mount=type=cache', () => {
  const cache = (options: string, command: string): string =>
    `RUN --mount=type=cache,target=/c${options === '' ? '' : `,${options}`} ${command}`;

  it('keeps what is put into it from build to build', async () => {
    await work.build(cache('', 'echo one > /c/f'));
    const { output, files } = await work.build(cache('', 'cat /c/f; echo two >> /c/f; stat -c "%a %u:%g" /c'));
    expect(output).toBe('one\n755 0:0\n');
    expect(files.filter(line => line.startsWith('c '))).toEqual([]);
  });

  it('is one for each id, owner and mode, and namespace', async () => {
    await work.build(cache('id=x', 'echo x > /c/f'));
    const lines = [
      'RUN --mount=type=cache,target=/elsewhere,id=x cat /elsewhere/f',
      cache('id=x,mode=0711,uid=7,gid=8', 'ls /c; stat -c "%a %u:%g" /c'),
      cache('', 'ls /c'),
    ];
    expect((await work.build(lines.join('\n'))).output).toBe('x\n711 7:8\n');
    const other = await work.build(cache('id=x', 'ls /c; true'), { buildArgs: { BUILDKIT_CACHE_MOUNT_NS: 'mine' } });
    expect(other.output).toBe('');
  });

  it('has ids that lead nowhere', async () => {
    const { output } = await work.build(
      [cache('id=../../../../../../etc', 'ls /c'), cache('id=/etc/passwd', 'ls /c'), cache('id=..', 'ls /c')].join(
        '\n',
      ),
    );
    expect(output).toBe('');
    expect(readdirSync(join(work.root, 'mounts')).every(name => /^[0-9a-f]{64}$/.test(name))).toBe(true);
  });

  it('begins with files of the build', async () => {
    const lines = [
      'FROM busybox AS src\nRUN mkdir -p /s/in && echo begun > /s/in/f && chown 5:6 /s/in',
      'FROM busybox',
      cache('from=src,source=/s', 'cat /c/in/f; stat -c %u:%g /c/in; echo more >> /c/in/f'),
      cache('from=src,source=/s', 'cat /c/in/f # again'),
    ];
    expect((await work.build(lines.join('\n'))).output).toBe('begun\n5:6\nbegun\nmore\n');
  });

  it('shows a part of itself, and nothing that its links lead to', async () => {
    await work.build(
      cache('id=x', 'mkdir -p /c/in/deep && echo in > /c/in/deep/f && ln -s /etc /c/l && ln -s in /c/m'),
    );
    expect((await work.build(cache('id=x,source=in/deep', 'cat /c/f'))).output).toBe('in\n');
    expect((await work.build(cache('id=x,source=in/deep/f', 'cat /c'))).output).toBe('in\n');
    for (const [source, code] of [
      ['l', 'PATH_INVALID'],
      ['l/passwd', 'PATH_INVALID'],
      ['m', 'PATH_INVALID'],
      ['in/deep/f/x', 'PATH_INVALID'],
      ['gone', 'PATH_NOT_FOUND'],
    ]) {
      const { error } = await work.failure(cache(`id=x,source=${source}`, 'ls /c'));
      expect(isLadingError(error) && error.code, source).toBe(code);
    }
  });

  it('is locked, shared, or had alone', async () => {
    // Each waits for the other when they run at the same time, and would not end if one did not see it.
    const meet =
      'touch /c/$ME; n=0; while [ $(ls /c | wc -l) -lt 2 ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done';
    const two = (options: string, command: string): string =>
      ['one', 'two']
        .map(name => `FROM busybox AS ${name}\nENV ME=${name}\n${cache(options, `${command}; ls /c > /seen`)}`)
        .concat('FROM scratch\nCOPY --from=one /seen /1\nCOPY --from=two /seen /2')
        .join('\n');
    const shared = await work.build(two('id=s,sharing=shared', meet));
    expect([await shared.read('1'), await shared.read('2')]).toEqual(['one\ntwo\n', 'one\ntwo\n']);
    const own = 'touch /c/$ME; sleep 1';
    const alone = await work.build(two('id=p,sharing=private', own));
    expect([await alone.read('1'), await alone.read('2')]).toEqual(['one\n', 'two\n']);
    const taken = 'mkdir /c/taken && sleep 1 && rmdir /c/taken && touch /c/$ME';
    const locked = await work.build(two('id=l,sharing=locked', taken));
    expect([await locked.read('1'), await locked.read('2')].sort()).toContain('one\ntwo\n');
  });

  it('is seen in two places by one command, and waited for in no circle', async () => {
    const locked = (id: string, target: string): string =>
      `--mount=type=cache,sharing=locked,id=${id},target=${target}`;
    const twice = await work.build(`RUN ${locked('x', '/a')} ${locked('x', '/b')} echo one > /a/f; cat /b/f`);
    expect(twice.output).toBe('one\n');
    const stages = [
      ['one', locked('x', '/1'), locked('y', '/2')],
      ['two', locked('y', '/1'), locked('x', '/2')],
    ].map(([name, first, second]) => `FROM busybox AS ${name}\nRUN ${first} ${second} sleep 0.5; echo ${name} > /f`);
    const { read } = await work.build(
      `${stages.join('\n')}\nFROM scratch\nCOPY --from=one /f /1\nCOPY --from=two /f /2`,
    );
    expect([await read('1'), await read('2')]).toEqual(['one\n', 'two\n']);
  });

  it('begins anew with --no-cache, once a build', async () => {
    const lines = `${cache('', 'ls /c; touch /c/old')}\n${cache('', 'ls /c')}`;
    await work.build(lines);
    expect((await work.build(lines, { noCache: true })).output).toBe('old\n');
  });

  it('is not written to when it is read-only', async () => {
    expect((await work.build(cache('ro', 'touch /c/f || echo refused'))).output).toMatch(/refused/);
  });
});

describeWith(sandboxPrograms, 'RUN --mount=type=tmpfs', () => {
  it('is empty, as large as is said, and forgotten', async () => {
    const { output, files } = await work.build(
      [
        'RUN --mount=type=tmpfs,target=/opt/real ls -A /opt/real; echo x > /opt/real/lost; stat -c %a /opt/real',
        'RUN --mount=type=tmpfs,target=/tmp --mount=type=tmpfs,target=/made stat -c %a /tmp /made',
        'RUN --mount=type=tmpfs,target=/t,size=1m dd if=/dev/zero of=/t/big bs=1M count=2 2>/dev/null || echo full',
      ].join('\n'),
    );
    expect(output).toBe('755\n1777\n1777\nfull\n');
    expect(files.some(line => line.startsWith('opt/real/lost') || line.startsWith('t '))).toBe(false);
  });
});

describeWith(sandboxPrograms, 'RUN --mount=type=secret', () => {
  const secrets = { token: { value: 'correct horse battery' } };

  it('is a file for the one command', async () => {
    const lines = [
      'RUN --mount=type=secret,id=token wc -c < /run/secrets/token; stat -c "%a %u:%g" /run/secrets/token',
      'RUN --mount=type=secret,id=token,target=/t,mode=741,uid=100,gid=102 stat -c "%a %u:%g" /t',
      'RUN ls /run/secrets /t 2>/dev/null; true',
      'RUN --mount=type=secret,id=token echo no > /run/secrets/token || echo refused',
    ];
    const { output, files } = await work.build(lines.join('\n'), { secrets });
    expect(output).toMatch(/^21\n400 0:0\n741 100:102\n/);
    expect(output).toContain('refused');
    expect(files.filter(line => /^(?:run\/|t )/.test(line))).toEqual([]);
  });

  it('is a variable', async () => {
    const { output, config } = await work.build(
      [
        'ENV TOKEN=public',
        'RUN --mount=type=secret,id=token,env=TOKEN echo "${#TOKEN}"; ls /run/secrets 2>/dev/null; true',
        'RUN --mount=type=secret,id=token,env=TOKEN,target=/t cmp /t /t && echo "${#TOKEN}"',
        'RUN echo $TOKEN',
      ].join('\n'),
      { secrets },
    );
    expect(output).toBe('21\n21\npublic\n');
    expect(config.config?.Env).toContain('TOKEN=public');
  });

  it('is missing without a word, unless it is required', async () => {
    const { output } = await work.build('RUN --mount=type=secret,id=gone ls /run/secrets 2>/dev/null || echo none');
    expect(output).toBe('none\n');
    const { error } = await work.failure('RUN --mount=type=secret,id=gone,required true');
    expect(error).toMatchObject({
      code: 'SECRET_NOT_FOUND',
      message: 'secret gone: not found',
      place: { range: { start: { line: 2 } } },
    });
  });

  it('is in no layer, record, event or error', async () => {
    const value = 'correct horse battery';
    const lines =
      'RUN --mount=type=secret,id=token cat /run/secrets/token; base64 /run/secrets/token >/dev/null\nRUN --mount=type=secret,id=token,env=T echo "is $T"; exit 5';
    const { error, events } = await work.failure(lines, { secrets, keepFailed: true, compression: 'none' });
    expect(error).toMatchObject({ code: 'RUN_FAILED', details: { output: 'is ********' } });
    expect(JSON.stringify(error)).not.toContain(value);
    const shown = events.map(event =>
      event.kind === 'output' ? Buffer.from(event.chunk).toString() : JSON.stringify(event),
    );
    expect(shown.join('')).not.toContain(value);
    expect(work.holding(value)).toEqual([]);
  });
});

describeWith(sandboxPrograms, 'RUN --mount=type=ssh', () => {
  it('is the socket of an agent', async () => {
    const path = join(work.folder, 'agent');
    const agent = createServer();
    await new Promise<void>(resolve => agent.listen(path, resolve));
    const { output, files } = await work.build(
      [
        'RUN --mount=type=ssh echo $SSH_AUTH_SOCK; test -S $SSH_AUTH_SOCK && stat -c "%a %u:%g" $SSH_AUTH_SOCK',
        'RUN --mount=type=ssh,id=other,target=/s,mode=666,uid=5 test -e /s || echo none',
        'RUN --mount=type=ssh,target=/s,mode=666,uid=5 stat -c "%a %u:%g" /s',
      ].join('\n'),
      { agents: { default: { paths: [path] } } },
    );
    expect(output).toBe('/run/buildkit/ssh_agent.0\n600 0:0\nnone\n666 5:0\n');
    expect(files.filter(line => /^(?:run\/|s )/.test(line))).toEqual([]);
    await new Promise(resolve => agent.close(resolve));
    const { error } = await work.failure('RUN --mount=type=ssh,required true');
    expect(error).toMatchObject({ code: 'SECRET_NOT_FOUND', details: { kind: 'ssh', id: 'default' } });
  });
});

describeWith(sandboxPrograms, 'hostile mounts', () => {
  // CVE-2024-23651: a folder in a cache is exchanged for a link between the look at it and its mounting.
  it('do not reach this machine by folders that are exchanged all the time', async () => {
    writeFileSync(join(work.folder, 'canary'), 'canary');
    await work.build('RUN --mount=type=cache,id=x,target=/c mkdir -p /c/in/deep && echo in > /c/in/deep/f');
    const lines = [
      'FROM busybox AS attacker',
      `RUN --mount=type=cache,id=x,target=/c ln -s ${work.folder} /c/bad; n=0; while [ $n -lt 800 ]; do mv /c/in /c/was; mv /c/bad /c/in; mv /c/in /c/bad; mv /c/was /c/in; n=$((n+1)); done; rm -f /c/bad`,
    ];
    for (let n = 0; n < 4; n++) {
      lines.push(
        `FROM busybox AS victim${n}`,
        `RUN --mount=type=cache,id=x,target=/c,source=in ls /c > /seen`,
        `RUN cat /seen`,
      );
    }
    lines.push('FROM scratch', 'COPY --from=attacker /tmp /tmp');
    for (let n = 0; n < 4; n++) lines.push(`COPY --from=victim${n} /seen /${n}`);
    for (let round = 0; round < 2; round++) {
      try {
        const ran = await work.build(lines.join('\n'), { noCacheFilter: ['attacker', 'victim0'], concurrency: 4 });
        for (let n = 0; n < 4; n++) expect(await ran.read(String(n))).toBe('deep\n');
      } catch (error) {
        // A folder that is not there at that moment, or is a link, is an error, as it should be.
        expect(isLadingError(error) && ['PATH_INVALID', 'PATH_NOT_FOUND'].includes(error.code), String(error)).toBe(
          true,
        );
      }
    }
    expect(readFileSync(join(work.folder, 'canary'), 'utf8')).toBe('canary');
  });

  // CVE-2024-9675: an id, or a target, with dots in it.
  it('leave the files around the store alone', async () => {
    await work.build(
      'RUN --mount=type=cache,id=../../../escape,target=/../../../escape echo x > /escape/f\nRUN --mount=type=cache,target=a/../../b echo x > /b/f',
    );
    expect(readdirSync(work.folder).sort()).toEqual(['context', 'store']);
  });

  // CVE-2024-1753: a source that is a link to the root of this machine.
  it('take links of images for what they are inside of them', async () => {
    const { output } = await work.build(
      [
        'FROM busybox AS bad',
        'RUN mkdir /evil && ln -s / /evil/root && ln -s ../../../../.. /evil/up && echo "of the image" > /canary',
        'FROM busybox',
        'RUN --mount=from=bad,source=/evil/root,target=/m,rw cat /m/canary; echo x > /m/written',
        'RUN --mount=from=bad,source=/evil/up,target=/m,rw cat /m/canary; echo x > /m/written',
      ].join('\n'),
    );
    expect(output).toBe('of the image\nof the image\n');
    expect(() => lstatSync('/written')).toThrow();
  });

  it('do not give out files of this machine by links in a context', async () => {
    const outside = join(work.folder, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'f'), 'outside');
    symlinkSync(outside, join(work.context, 'link'));
    symlinkSync('../outside', join(work.context, 'up'));
    const { output } = await work.build('RUN --mount=target=/ctx cat /ctx/link/f /ctx/up/f 2>/dev/null || echo none');
    expect(output).toBe('none\n');
  });
});
