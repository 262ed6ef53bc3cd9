import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLadingError } from '../../src/errors/errors.js';
import { exchanging } from '../support/exchanging.js';
import { describeWith } from '../support/programs.js';
import { RunWorkspace } from '../support/running.js';

/** What a Dockerfile, or the images that it names, tried against other builders, on every tier that root has here. */
const tiers = [
  { sandbox: 'namespaces', caches: true, programs: ['perl'] },
  { sandbox: 'proot', caches: true, programs: ['proot', 'perl'] },
  { sandbox: 'chroot', caches: false, programs: ['perl'] },
  { sandbox: 'crun', caches: true, programs: ['crun'] },
  { sandbox: 'runc', caches: true, programs: ['runc'] },
] as const;

const canary = 'of the host';
let work: RunWorkspace;
beforeEach(() => {
  work = new RunWorkspace();
  mkdirSync(join(work.folder, 'host/etc'), { recursive: true });
  writeFileSync(join(work.folder, 'host/canary'), canary);
  writeFileSync(join(work.folder, 'host/etc/canary'), canary);
});
afterEach(() => {
  expect(readdirSync(join(work.folder, 'host'), { recursive: true }).sort()).toEqual(['canary', 'etc', 'etc/canary']);
  expect(readFileSync(join(work.folder, 'host/canary'), 'utf8')).toBe(canary);
  expect(work.leftovers()).toEqual([]);
  work.remove();
});

/** The code of the error that a build ends with; `undefined` when it does not. */
async function codeOf(build: Promise<unknown>): Promise<string | undefined> {
  const error = await build.then(
    () => undefined,
    thrown => thrown as unknown,
  );
  if (error !== undefined && !isLadingError(error)) throw error;
  return error?.code;
}

for (const { sandbox, caches, programs } of tiers) {
  describeWith(['root', ...programs], `published escapes of Dockerfiles: ${sandbox}`, () => {
    const build = (lines: string, options: Parameters<RunWorkspace['build']>[1] = {}) =>
      work.build(lines, { sandbox, ...options });

    const withCaches = caches ? it : () => {};
    withCaches('CVE-2024-9675: an id or a source of a cache with dots leads to no folder of the host', async () => {
      const cache = (options: string, command: string): string =>
        `RUN --mount=type=cache,target=/c,${options} ${command}`;
      const ids = ['../../../../../../etc', '/etc', '..', '.', 'a/../../../host', '%2e%2e/host'];
      const { output } = await build(ids.map(id => cache(`id=${id}`, 'ls -A /c; touch /c/made')).join('\n'));
      expect(output).toBe('');
      expect(readdirSync(join(work.root, 'mounts')).every(name => /^[0-9a-f]{64}$/.test(name))).toBe(true);
      for (const source of ['../../../../../../etc', '../../../../host', 'x/../../../../host']) {
        expect(await codeOf(build(cache(`id=x,source=${source}`, 'cat /c/canary')))).toBe('PATH_NOT_FOUND');
      }
      await build(
        cache('id=y', `ln -s ${work.folder}/host /c/link && ln -s ../../../../host /c/up && ln -s / /c/root`),
      );
      for (const source of ['link', 'up', 'root', 'link/etc', `root${work.folder}/host`]) {
        expect(await codeOf(build(cache(`id=y,source=${source}`, 'cat /c/canary')))).toBe('PATH_INVALID');
      }
      await build(
        'RUN --mount=type=cache,target=/../../../escape echo x >/escape/f\nRUN --mount=type=cache,target=a/../../b echo x >/b/f',
      );
      expect(readdirSync(work.folder).sort()).toEqual(['context', 'host', 'store']);
    });

    it('CVE-2024-1753: a source that is a link to / shows the root of the image', async () => {
      const { output } = await build(
        [
          'FROM busybox AS bad',
          `RUN mkdir /evil && ln -s / /evil/root && ln -s ../../../../../../../.. /evil/up && ln -s ${work.folder}/host /evil/host && echo "of the image" >/canary`,
          'FROM busybox',
          ...['root', 'up'].map(name => `RUN --mount=from=bad,source=/evil/${name},target=/m cat /m/canary`),
          ...(caches ? ['RUN --mount=from=bad,source=/evil/root,target=/m,rw echo x >/m/written; cat /m/canary'] : []),
          `RUN --mount=from=bad,source=/evil,target=/m cat /m/host/canary 2>/dev/null || echo none`,
        ].join('\n'),
      );
      expect(output).toBe(`${'of the image\n'.repeat(caches ? 3 : 2)}none\n`);
      expect(existsSync('/written')).toBe(false);
      const missing =
        'FROM busybox AS bad\nRUN ln -s /host /l\nFROM busybox\nRUN --mount=from=bad,source=/l,target=/m true';
      expect(await codeOf(build(missing.replace('/host /l', `${work.folder}/host /l`)))).toBe('SOURCE_NOT_FOUND');
    });

    it('CVE-2024-11218: stages that run at the same time and bind the same files see each its own', async () => {
      const lines = [
        'FROM busybox AS source',
        'RUN mkdir -p /s/d && echo harmless >/s/d/f',
        'FROM busybox AS attacker',
      ];
      const mount = `--mount=type=bind,from=source,source=/s,target=/m${caches ? ',rw' : ''}`;
      lines.push(
        `RUN ${mount} n=0; while [ $n -lt 150 ]; do mv /m/d /m/e; ln -s ${work.folder}/host /m/d; rm /m/d; mv /m/e /m/d; n=$((n+1)); done 2>/dev/null; ln -s ${work.folder}/host /m/stays 2>/dev/null; true`,
      );
      for (const n of [1, 2]) {
        lines.push(
          `FROM busybox AS victim${n}`,
          `RUN ${mount} for i in 1 2 3 4 5; do cat /m/d/f /m/d/canary /m/stays/canary; done 2>/dev/null >/seen${n}; true`,
        );
      }
      lines.push(
        'FROM scratch',
        'COPY --from=attacker /tmp /tmp',
        'COPY --from=victim1 /seen1 /1',
        'COPY --from=victim2 /seen2 /2',
      );
      const { read } = await build(lines.join('\n'), { concurrency: 4 });
      for (const name of ['1', '2']) expect(await read(name)).toBe('harmless\n'.repeat(5));
    });

    it('CVE-2025-4953: what is written to a mount of the context is not there afterwards', async () => {
      const rw = caches ? ',rw' : '';
      const { output } = await build(
        `RUN --mount=target=/ctx${rw} echo x >/ctx/left 2>/dev/null; echo y >/ctx/a; true\nRUN --mount=target=/ctx ls /ctx; cat /ctx/a`,
      );
      expect(output.endsWith('a\nd\na')).toBe(true);
      expect(readdirSync(work.context).sort()).toEqual(['a', 'd']);
      expect(readFileSync(join(work.context, 'a'), 'utf8')).toBe('a');
    });

    it('CVE-2024-21626: WORKDIR among the descriptors of a process is a folder of the image', async () => {
      const ups = ['.', '..', '../../../../../../..'].map(up => `${up}${work.folder}/host/canary`).join(' ');
      for (const fd of [7, 8, 9]) {
        const lines = `FROM busybox\nWORKDIR /proc/self/fd/${fd}\nRUN cat ${ups} canary etc/canary 2>/dev/null; true`;
        const attempt = build(lines).then(({ output }) => output);
        expect(await attempt.catch(error => (isLadingError(error) ? '' : Promise.reject(error)))).toBe('');
      }
    });

    it('CVE-2024-9676: accounts are read in the image alone, and are no pipe to wait for', async () => {
      const passwd = join(work.folder, 'passwd');
      writeFileSync(passwd, 'trapped:x:0:0::/:/bin/sh\n');
      const lines = (make: string): string => `FROM busybox AS base\nRUN ${make}\nFROM base\nUSER trapped\nRUN id -u`;
      expect(await codeOf(build(lines(`ln -sf ${passwd} /etc/passwd`)))).toBe('INVALID_VALUE');
      expect(await codeOf(build(lines('rm /etc/passwd; mkfifo /etc/passwd')))).toBe('PATH_INVALID');
    });

    it('CVE-2024-40635: a user whose number is too large is no user, and not root', async () => {
      for (const user of ['4294967296', '4294967295', '2147483648:0', '-1', '0:4294967296', '18446744073709551616']) {
        expect([user, await codeOf(build(`USER ${user}\nRUN id -u`))]).toEqual([user, 'INVALID_VALUE']);
      }
    });

    it('CVE-2024-23653: no privilege that was not allowed, whoever asks for it', async () => {
      for (const flag of ['--security=insecure', '--network=host']) {
        expect([flag, await codeOf(build(`RUN ${flag} true`))]).toEqual([flag, 'UNSUPPORTED']);
        const base = 'FROM busybox AS base\nONBUILD RUN FLAG true\nFROM base'.replace('FLAG', flag);
        expect([flag, await codeOf(build(base))]).toEqual([flag, 'UNSUPPORTED']);
      }
      // What a frontend could ask for: it is another program, and none is executed.
      expect(await codeOf(build('# syntax=attacker/frontend\nFROM busybox\nRUN true'))).toBe('DOCKERFILE_SYNTAX');
      const options = { buildArgs: { BUILDKIT_SYNTAX: 'attacker/frontend' } };
      expect(await codeOf(build('FROM busybox\nRUN true', options))).toBe('DOCKERFILE_SYNTAX');
    });

    withCaches('CVE-2024-23651: a part of a cache is held while other commands exchange it for a link', async () => {
      const made =
        'RUN --mount=type=cache,id=x,target=/c mkdir -p /c/in/deep && echo in >/c/in/deep/f && ln -s LINK /c/bad';
      await build(made.replace('LINK', join(work.folder, 'host')));
      const [key] = readdirSync(join(work.root, 'mounts'));
      const content = join(work.root, 'mounts', key!, '0/content');
      const attacker = await exchanging(join(content, 'in'), join(content, 'bad'));
      try {
        for (let n = 0; n < 6; n++) {
          const mode = n % 2 === 0 ? '' : ',ro';
          const line = `RUN --mount=type=cache,id=x,target=/c,source=in${mode} ls /c 2>&1; cat /c/canary 2>/dev/null; echo ${n}`;
          const ran = await build(line).catch(error => error as unknown);
          if (ran instanceof Error) {
            const code = isLadingError(ran) ? ran.code : String(ran);
            expect(['PATH_INVALID', 'PATH_NOT_FOUND', 'RUN_UNAVAILABLE']).toContain(code);
          } else {
            // proot comes to files by their names; what has the name at that moment is kept from it, or is not there.
            const seen = sandbox === 'proot' ? '(?:deep|ls: .*)' : 'deep';
            expect((ran as { output: string }).output).toMatch(new RegExp(`^${seen}\n${n}\n$`));
          }
        }
      } finally {
        await attacker.stop();
      }
    });
  });
}

describe('published escapes of options', () => {
  it('CVE-2024-9407: options of --mount are those that there are, and go into no option of mount', async () => {
    const refusal = /^(?:INVALID_VALUE|DOCKERFILE_SYNTAX|UNSUPPORTED)$/;
    for (const options of [
      ...['bind-propagation=rshared', 'bind-propagation=shared,source=/', 'relabel=shared', 'z', 'options=rbind'],
      ...['ro,bind-propagation=rbind', 'src=/,bind-nonrecursive=true', 'rw=true:/etc', '"source=/,dev"'],
    ]) {
      const code = await codeOf(work.build(`RUN --mount=type=bind,target=/m,${options} true`));
      expect([options, code]).toEqual([options, expect.stringMatching(refusal)]);
    }
    for (const size of ['1m\\,mode=4777', '1m,mode=4777', '-1', '1k:/etc', '0x10', '1e9,uid=0']) {
      const code = await codeOf(work.build(`RUN --mount=type=tmpfs,target=/m,size=${size} true`));
      expect([size, code]).toEqual([size, expect.stringMatching(refusal)]);
    }
  });

  it('CVE-2021-43784: numbers that are too large for the kernel are refused, and not taken for what is left of them', async () => {
    const large = ['4294967296', '18446744073709551616'];
    for (const number of large) {
      for (const line of [
        `RUN --mount=type=cache,target=/c,uid=${number} true`,
        `RUN --mount=type=secret,id=x,gid=${number} true`,
        `RUN --mount=type=cache,target=/c,mode=${number}0000 true`,
        `COPY --chown=${number} a /`,
        `COPY --chown=0:${number} a /`,
      ]) {
        const code = await codeOf(work.build(line));
        expect([line, code]).toEqual([
          line,
          expect.stringMatching(/^(?:INVALID_VALUE|DOCKERFILE_SYNTAX|UNSUPPORTED)$/),
        ]);
      }
    }
  });

  it('CVE-2024-24557: an image that was made with other instructions is not taken from the cache', async () => {
    const one = await work.build('FROM scratch\nHEALTHCHECK CMD evil\nONBUILD ENV x=1\nCOPY a /\nENV a=1');
    const two = await work.build('FROM scratch\nHEALTHCHECK CMD good\nCOPY a /\nENV a=1');
    expect(one.config.config?.OnBuild).toEqual(['ENV x=1']);
    expect(JSON.stringify(two.config)).not.toMatch(/evil|OnBuild/);
  });
});
