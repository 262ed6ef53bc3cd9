/**
 * Ways out of containers that have been published, as what the sandbox of a RUN is asked for and what its process tries.
 * Plain cases, as in sandbox-suite.ts: they run for every tier, also as other users. `docs/security.md` lists the advisories.
 */
import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cacheSource } from '../../src/build/run/cache-source.js';
import type { RunRequest, SandboxMount } from '../../src/sandbox/sandbox.js';
import { exchanging } from './exchanging.js';
import { hostileInterpreter, interpreterPath } from './hostile-interpreter.js';
import type { Ran, SandboxBox, SandboxCase } from './sandbox-suite.js';

/** What no process may come to see. */
const canary = 'of the host';
/** Runs against an attacker who is right every second or fourth time. */
const attempts = 5;

/** A folder of this machine with files that a process would like to have, beside the root. */
function victim(folder: string): string {
  const path = join(folder, 'host');
  for (const name of ['etc', 'stub', 'sub']) mkdirSync(join(path, name), { recursive: true });
  for (const name of ['canary', 'sub/canary', 'etc/canary']) writeFileSync(join(path, name), canary);
  for (const name of ['file', 'etc/hosts', 'etc/resolv.conf', 'ptmx']) writeFileSync(join(path, name), '');
  return path;
}

/** All that `lstat` says of it, so that nothing can have been made, removed, written or changed. */
function state(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return ['.', ...names].sort().map(name => {
    const { mode, uid, gid, size, mtimeMs, ino } = lstatSync(join(folder, name));
    return `${name} ${mode.toString(8)} ${uid}:${gid} ${size} ${mtimeMs} ${ino}`;
  });
}

/** A run that may be refused: what is wrong with it is said before anything happens. */
async function tried(ran: Promise<Ran>): Promise<Ran | undefined> {
  try {
    return await ran;
  } catch (error) {
    const { code } = error as { code?: string };
    assert.ok(
      code === 'RUN_UNAVAILABLE' || code === 'PATH_INVALID' || code === 'PATH_NOT_FOUND' || code === 'IO',
      String(error),
    );
    return undefined;
  }
}

const bind = (source: string, target: string, readOnly: boolean): SandboxMount => ({
  type: 'bind',
  source,
  target,
  readOnly,
});

/** Runs again and again while somebody exchanges a folder for a link; counts how often that was allowed to begin. */
async function raced(
  { run, folder }: SandboxBox,
  pairs: readonly [string, string, ...string[]],
  command: string,
  mounts: () => readonly SandboxMount[],
  options: Partial<RunRequest> = {},
): Promise<Ran[]> {
  const before = state(join(folder, 'host'));
  const attacker = await exchanging(...pairs);
  const done: Ran[] = [];
  try {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const ran = await tried(Promise.resolve().then(() => run(command, { mounts: mounts(), ...options })));
      if (ran !== undefined) done.push(ran);
    }
  } finally {
    await attacker.stop();
  }
  for (const { stdout, stderr } of done) assert.ok(!`${stdout}${stderr}`.includes(canary), stdout);
  assert.deepEqual(state(join(folder, 'host')), before);
  return done;
}

/** That the attacker is quick enough: whoever looks at a name and then uses it gets another thing. */
function controlled(look: () => boolean, use: () => void, escaped: () => boolean): void {
  // On a busy machine the attacker may have to wait for its turn.
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    try {
      if (look()) use();
    } catch {
      // It was the other one.
    }
    if (escaped()) return;
  }
  assert.fail('the attack does not work against anybody');
}

/** A folder that is shared with the attacker, who exchanges `x` in it for a link to this machine's files. */
function sharedFolder(folder: string): {
  readonly shared: string;
  readonly pair: readonly [string, string];
  readonly host: string;
} {
  const host = victim(folder);
  const shared = join(folder, 'shared');
  mkdirSync(join(shared, 'x/sub'), { recursive: true });
  for (const name of ['x/harmless', 'x/sub/harmless']) writeFileSync(join(shared, name), '');
  symlinkSync(host, join(shared, 'y'));
  return { shared, host, pair: [join(shared, 'x'), join(shared, 'y')] };
}

export const escapeCases: readonly SandboxCase[] = [
  {
    title: 'CVE-2024-21626: a working directory among the descriptors of /proc is none of the host',
    test: async ({ run, folder, base }) => {
      const host = victim(folder);
      symlinkSync('/proc/self/fd/8', join(base, 'leak'));
      const ups = ['.', '..', '../..', '../../../../../../..'].map(up => `"${up}${host}/canary"`).join(' ');
      // 7 and 8 are open folders of this machine that whoever started the builder has left open.
      for (const cwd of [
        '/proc/self/fd/3',
        '/proc/self/fd/5',
        '/proc/self/fd/7',
        '/proc/self/fd/8',
        '/proc/1/cwd',
        '/leak',
      ]) {
        const ran = await tried(
          run(`cat ${ups} canary 2>/dev/null; ls /proc/self/fd/7/ /proc/self/fd/8/ 2>/dev/null; pwd`, { cwd }),
        );
        assert.ok(!ran?.stdout.includes(canary), cwd);
        assert.ok(!/^(?:etc|passwd)$/m.test(ran?.stdout ?? ''), `${cwd}: ${ran?.stdout}`);
      }
    },
  },
  {
    title: 'CVE-2019-5736: a program that is its own starter cannot overwrite that',
    test: async ({ run, base }) => {
      // The first folder of PATH has copies of all programs that make the sandbox, which this user could write to.
      const programs = process.env['PATH']!.split(':')[0]!;
      const contents = (): string[] => readdirSync(programs).map(name => readFileSync(join(programs, name), 'latin1'));
      const before = contents();
      assert.ok(before.length > 0);
      mkdirSync(join(base, 'lib64'), { recursive: true });
      if (process.arch === 'x64') writeFileSync(join(base, interpreterPath), hostileInterpreter(), { mode: 0o755 });
      writeFileSync(join(base, 'evil'), '#!/proc/self/exe\n', { mode: 0o755 });
      const write = 'n=0; while [ $n -lt 8 ]; do echo overwritten >$f && exit; sleep 0.05; n=$((n+1)); done';
      writeFileSync(join(base, 'payload'), `f=/proc/self/fd/3; ${write}`);
      await tried(run('', { argv: ['/evil'] }));
      assert.deepEqual(contents(), before);
      await run(`for f in /proc/[0-9]*/exe; do echo overwritten >$f; done 2>/dev/null; echo done`);
      assert.deepEqual(contents(), before);
    },
  },
  {
    title: 'CVE-2024-23652: what was made for a mount is not removed through a link that took the place of its folder',
    test: async ({ run, folder }) => {
      const host = victim(folder);
      // The naive way: by the path of before.
      const naive = join(folder, 'naive');
      mkdirSync(join(folder, 'naive-host/stub'), { recursive: true });
      symlinkSync('naive-host', naive);
      rmdirSync(join(naive, 'stub'));
      assert.ok(!existsSync(join(folder, 'naive-host/stub')));
      const before = state(host);
      const source = join(folder, 'source');
      writeFileSync(source, '');
      const mounts: SandboxMount[] = [
        { type: 'tmpfs', target: '/m/stub', readOnly: false },
        bind(source, '/m/file', true),
      ];
      // On an overlay what the image has cannot be moved.
      const move = `mv /etc /was-etc 2>/dev/null && ln -s ${host}/etc /etc; mv /m /was-m && ln -s ${host} /m && echo moved`;
      const ran = await run(move, { mounts });
      assert.equal(ran.stdout, 'moved\n', ran.stderr);
      assert.deepEqual(state(host), before);
    },
  },
  {
    title:
      'CVE-2021-30465: a folder for a mount in a shared folder is not made, nor mounted, through a link that appears',
    needs: ['writable mounts'],
    test: async box => {
      const { shared, host, pair } = sharedFolder(box.folder);
      const inner = join(box.folder, 'inner');
      mkdirSync(inner);
      const attacker = await exchanging(...pair);
      try {
        const naive = join(shared, 'x/naive');
        controlled(
          () => lstatSync(pair[0]).isDirectory(),
          () => mkdirSync(naive),
          () => existsSync(join(host, 'naive')),
        );
        rmdirSync(join(host, 'naive'));
      } finally {
        await attacker.stop();
      }
      await raced(box, pair, 'ls /s/x', () => [bind(shared, '/s', false), bind(inner, '/s/x/made/deep', false)]);
    },
  },
  {
    title: 'CVE-2024-45310: an empty file for a mount is not made through a link that appears',
    needs: ['writable mounts'],
    test: async box => {
      const { shared, pair } = sharedFolder(box.folder);
      const inner = join(box.folder, 'inner');
      writeFileSync(inner, '');
      await raced(box, pair, 'true', () => [bind(shared, '/s', false), bind(inner, '/s/x/made', true)]);
    },
  },
  {
    title: 'CVE-2024-23651: a part of a cache that is exchanged for a link after the look at it is not mounted',
    needs: ['writable mounts'],
    test: async box => {
      const { shared, host, pair } = sharedFolder(box.folder);
      const attacker = await exchanging(...pair);
      try {
        let seen = '';
        controlled(
          () => lstatSync(pair[0]).isDirectory(),
          () => {
            seen = readFileSync(join(pair[0], 'canary'), 'utf8');
          },
          () => seen === canary,
        );
      } finally {
        await attacker.stop();
      }
      const command = 'ls /c; cat /c/canary /c/sub/canary; echo x >/c/canary; echo x >/c/new; rm /c/new';
      const held: Array<{ close(): void }> = [];
      const source = (): SandboxMount[] => {
        const found = cacheSource(shared, '/x');
        held.push(found);
        return [bind(found.path, '/c', false)];
      };
      const done = await raced(box, pair, command, source);
      for (const each of held) each.close();
      if (lstatSync(pair[0]).isSymbolicLink()) assert.equal(lstatSync(join(shared, 'y')).isDirectory(), true);
      assert.ok(done.every(({ stdout }) => !stdout.includes('etc\n')));
      assert.ok(existsSync(join(host, 'canary')));
    },
  },
  {
    title: 'CVE-2018-15664: a folder that is only shown for reading is not copied through links that appear in it',
    test: async box => {
      const { shared, host, pair } = sharedFolder(box.folder);
      const many: [string, string, ...string[]] = [...pair];
      for (let n = 0; n < 60; n++) {
        const [dir, link] = [join(shared, `x${n}`), join(shared, `y${n}`)];
        mkdirSync(dir);
        writeFileSync(join(dir, 'canary'), 'harmless');
        symlinkSync(host, link);
        many.push(dir, link);
      }
      const done = await raced(box, many, 'cat /c/[xy]*/canary /c/x/sub/canary', () => [bind(shared, '/c', true)]);
      // Nor does it fail: what changes meanwhile is copied as it is, or not at all.
      assert.equal(done.length, attempts);
      await raced(box, pair, 'cat /c/canary /c/sub/canary', () => {
        const { path, close } = cacheSource(shared, '/x');
        setTimeout(close, 10_000).unref();
        return [bind(path, '/c', true)];
      });
    },
  },
  {
    title: 'CVE-2023-27561: with links in the place of /proc and /sys, what is hidden stays hidden',
    test: async ({ run, base, folder }) => {
      const host = victim(folder);
      const before = state(host);
      mkdirSync(join(base, 'tmp/fake/sys/kernel'), { recursive: true });
      symlinkSync('/tmp/fake', join(base, 'proc'));
      symlinkSync('/tmp/fake/sys', join(base, 'sys'));
      symlinkSync(join(host, 'file'), join(base, 'tmp/fake/sys/kernel/hostname'));
      // Opened, and never written to: it would be this machine's.
      const files = ['sysrq-trigger', 'sys/kernel/core_pattern', 'sys/vm/panic_on_oom', 'sys/kernel/modprobe'];
      const places = files.flatMap(name => [`/proc/${name}`, `/tmp/fake/${name}`]);
      const ran = await tried(
        run(`for f in ${places.join(' ')}; do [ -e $f ] && true >>$f && echo opened $f; done 2>/dev/null; echo done`),
      );
      // A runtime may refuse it, too, by its status.
      assert.equal(ran?.stdout ?? '', ran?.exitCode === 0 ? 'done\n' : '');
      assert.deepEqual(state(host), before);
    },
  },
  {
    title: 'CVE-2025-52881: what is written for a process does not go where a mount over /proc leads it',
    needs: ['writable mounts'],
    test: async ({ run, folder }) => {
      const host = victim(folder);
      const before = state(host);
      const fake = join(folder, 'fake');
      mkdirSync(join(fake, 'self/attr'), { recursive: true });
      mkdirSync(join(fake, 'sys/kernel'), { recursive: true });
      for (const name of ['self/attr/exec', 'self/setgroups', 'self/uid_map', 'sys/kernel/hostname', 'sysrq-trigger']) {
        symlinkSync(join(host, 'file'), join(fake, name));
      }
      await tried(run('true', { mounts: [bind(fake, '/proc', false)], hostname: 'written' }));
      assert.deepEqual(state(host), before);
    },
  },
  ...(
    [
      ['CVE-2025-31133: with links in the place of /dev/null and the like nothing hidden is opened', ['null', 'zero']],
      [
        'CVE-2025-52565: with links in the place of terminals nothing hidden is opened',
        ['console', 'ptmx', 'pts', 'tty'],
      ],
    ] as const
  ).map(
    ([title, names]): SandboxCase => ({
      title,
      test: async ({ run, base }) => {
        mkdirSync(join(base, 'dev'));
        for (const name of names)
          symlinkSync(name === 'pts' ? '/proc/sys/kernel' : '/proc/sysrq-trigger', join(base, 'dev', name));
        const files =
          '/proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /dev/console /dev/pts/core_pattern';
        const open = `for f in ${files}; do [ -e $f ] && true >>$f && echo opened $f; done 2>/dev/null`;
        const ran = await run(`${open}; [ -c /dev/null ] && [ ! -L /dev/null ] && echo device; true`);
        assert.equal(ran.stdout, 'device\n');
        assert.equal((await run('head -c 1 /proc/kcore 2>/dev/null | wc -c')).stdout.trim(), '0');
      },
    }),
  ),
  {
    title: 'CVE-2026-41579: where /dev is a link to a folder of the host nothing is made or removed there',
    test: async ({ run, base, folder }) => {
      const host = victim(folder);
      const before = state(host);
      symlinkSync(host, join(base, 'dev'));
      await tried(run('ls /dev; echo x >/dev/null'));
      assert.deepEqual(state(host), before);
    },
  },
  {
    title: 'CVE-2026-55686: a working directory behind a link of the image is not made on the host',
    test: async ({ run, base, folder }) => {
      const host = victim(folder);
      const before = state(host);
      symlinkSync(host, join(base, 'link'));
      symlinkSync('../../../../../../..', join(base, 'up'));
      for (const cwd of ['/link/new/deep', `/up${host}/new`, '/link/../../../new']) await tried(run('pwd', { cwd }));
      assert.deepEqual(state(host), before);
    },
  },
  {
    title: 'CVE-2022-2990: supplementary groups are those of the user, and none of the builder',
    needs: ['users'],
    test: async ({ run, base }) => {
      writeFileSync(join(base, 'tmp/closed'), 'closed to a group');
      await run('chown 0:7 /tmp/closed; chmod 604 /tmp/closed');
      const command = 'id -G; cat /tmp/closed 2>/dev/null';
      const inGroup = await run(command, { user: { uid: 1000, gid: 1000, groups: [1000, 7] } });
      assert.equal(inGroup.stdout, '1000 7\n');
      const outside = await run(command, { user: { uid: 1000, gid: 1000, groups: [1000] } });
      assert.equal(outside.stdout, '1000\nclosed to a group');
    },
  },
  {
    title: 'CVE-2022-24769: no capability is inherited by programs of the image',
    needs: ['proc'],
    test: async ({ run }) => {
      const { stdout } = await run('grep -E "^Cap(Inh|Amb)" /proc/self/status');
      assert.match(stdout, /^CapInh:\t0{16}\nCapAmb:\t0{16}\n$/);
    },
  },
];
