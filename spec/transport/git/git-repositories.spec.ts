import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ErrorCode, isLadingError, type LadingError } from '../../../src/errors/errors.js';
import { GitRepositories, type GitRepositoriesOptions } from '../../../src/transport/git/git-repositories.js';
import type { GitCheckout, GitRequest } from '../../../src/transport/git/git-request.js';
import { GitRepository, type GitServer, gitServer } from '../../support/git-server.js';
import { describeWith, findProgram } from '../../support/programs.js';
import { runProgram } from '../../support/run-program.js';
import { startService } from '../../support/start-service.js';
import { webServer } from '../../support/web-server.js';

let folder: string;
let server: GitServer;
let repository: GitRepository;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lading-git-'));
  server = await gitServer(join(folder, 'served'));
  repository = new GitRepository(join(folder, 'served/name'));
  mkdirSync(join(folder, 'checkouts'));
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function repositories(options: Partial<GitRepositoriesOptions> = {}): GitRepositories {
  return new GitRepositories({ directory: join(folder, 'checkouts'), env: process.env, ...options });
}

function checkout(
  request: Partial<GitRequest> = {},
  options: Partial<GitRepositoriesOptions> = {},
): Promise<GitCheckout> {
  return repositories(options).checkout({ remote: `${server.url}/name/.git`, transport: 'http', ...request });
}

async function failure(work: Promise<unknown>, code: ErrorCode): Promise<LadingError> {
  const error = await work.then(
    () => undefined,
    thrown => thrown as unknown,
  );
  if (!isLadingError(error, code)) throw error ?? new Error('did not fail');
  expect(readdirSync(join(folder, 'checkouts'))).toEqual([]);
  return error;
}

/** Everything of a folder: `path mode`, and for a link where it leads, for a file a digest. */
function listing(path: string): string[] {
  return readdirSync(path)
    .sort()
    .flatMap(name => {
      const full = join(path, name);
      const stats = lstatSync(full);
      const mode = (stats.mode & 0o7777).toString(8);
      if (stats.isSymbolicLink()) return [`${name} -> ${readlinkSync(full)}`];
      if (stats.isDirectory()) return [`${name}/ ${mode}`, ...listing(full).map(line => `${name}/${line}`)];
      return [`${name} ${mode} ${digestOf(readFileSync(full))}`];
    });
}

function digestOf(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

describeWith(['git'], 'GitRepositories', () => {
  it('checks a commit out as BuildKit does: modes, links, nothing of git, its time', async () => {
    chmodSync(repository.path, 0o700);
    writeFileSync(join(repository.path, 'run'), '#!', { mode: 0o700 });
    const commit = repository.commit(
      { a: 'a', 'd/e/f': 'f', link: '-> /etc/passwd', 'crlf.txt': 'x\r\n' },
      1_650_000_000,
    );
    const { path, ...rest } = await checkout();
    expect(rest).toEqual({ commit, time: 1_650_000_000 });
    expect(listing(path)).toEqual([
      `a 644 ${digestOf('a')}`,
      `crlf.txt 644 ${digestOf('x\r\n')}`,
      'd/ 755',
      'd/e/ 755',
      `d/e/f 644 ${digestOf('f')}`,
      'link -> /etc/passwd',
      `run 755 ${digestOf('#!')}`,
    ]);
  });

  it('leaves the umask out of it', async () => {
    repository.commit({ 'd/a': 'a' });
    const before = process.umask(0o077);
    const { path } = await checkout({ keepGitDir: true }).finally(() => process.umask(before));
    const { path: other } = await checkout({ keepGitDir: true });
    expect(listing(path)).toEqual(listing(other));
  });

  it.each([
    ['nothing', undefined, 'three'],
    ['a branch', 'side', 'two'],
    ['a branch in full', 'refs/heads/side', 'two'],
    ['a branch with a slash', 'a/b', 'two'],
    ['a tag', 'light', 'one'],
    ['an annotated tag', 'heavy', 'one'],
    ['a tag in full', 'refs/tags/heavy', 'one'],
    ['a tag by its kind', 'tags/heavy', 'one'],
    ['a name of a branch and a tag', 'both', 'two'],
    ['another ref', 'refs/pull/1/head', 'one'],
    ['another ref, in short', 'pull/1/head', 'one'],
    ['the id of a branch', 'ID:side', 'two'],
    ['the id of a commit before', 'ID:light', 'one'],
    ['the id of an annotated tag', 'ID:heavy', 'one'],
  ])('finds what %s means', async (_, written, content) => {
    repository.commit({ a: 'one' });
    repository.git('tag', 'light');
    repository.git('tag', '-a', '-m', 'x', 'heavy');
    repository.git('tag', 'both');
    repository.git('update-ref', 'refs/pull/1/head', 'HEAD');
    repository.commit({ a: 'two' });
    for (const name of ['side', 'a/b', 'both']) repository.git('branch', name);
    repository.commit({ a: 'three' });
    const ref = written?.startsWith('ID:') ? repository.git('rev-parse', written.slice(3)) : written;
    const { path } = await checkout({ ref });
    expect(readFileSync(join(path, 'a'), 'utf8')).toBe(content);
  });

  it.each([
    ['a server that gives no commits by their ids', '0'],
    ['a server that gives files alone', 'dumb'],
  ] as const)('gets any commit from %s', async (_, protocol) => {
    const first = repository.commit({ a: 'one' });
    repository.git('tag', '-a', '-m', 'x', 'v1');
    repository.commit({ a: 'two' });
    repository.git('update-server-info');
    const serving = await gitServer(join(folder, 'served'), { protocol });
    try {
      for (const [ref, content] of [
        [first, 'one'],
        ['v1', 'one'],
        [undefined, 'two'],
      ] as const) {
        for (const keepGitDir of [false, true]) {
          const { path } = await checkout({ remote: `${serving.url}/name/.git`, ref, keepGitDir });
          expect(readFileSync(join(path, 'a'), 'utf8')).toBe(content);
          const { path: usual } = await checkout({ ref, keepGitDir });
          expect(listing(path).filter(line => !line.startsWith('.git/config '))).toEqual(
            listing(usual).filter(line => !line.startsWith('.git/config ')),
          );
        }
      }
    } finally {
      await serving.close();
    }
  });

  it('gets commits from a daemon of git', async () => {
    const first = repository.commit({ a: 'one' });
    repository.commit({ a: 'two' });
    const port = await freePort();
    const listening = ['--listen=127.0.0.1', `--port=${port}`, '--reuseaddr'];
    const args = ['daemon', '--export-all', `--base-path=${join(folder, 'served')}`, ...listening];
    const remote = `git://127.0.0.1:${port}/name`;
    const ready = async (): Promise<boolean> =>
      (await runProgram('git', ['ls-remote', remote], { mayFail: true })).code === 0;
    const daemon = await startService('git', args, { log: join(folder, 'log'), ready });
    try {
      for (const [ref, content] of [
        [undefined, 'two'],
        [first, 'one'],
      ] as const) {
        const { path } = await checkout({ remote, transport: 'git', ref });
        expect(readFileSync(join(path, 'a'), 'utf8')).toBe(content);
      }
    } finally {
      await daemon.stop();
    }
  });

  it('reads repositories whose ids are SHA-256', async () => {
    const other = new GitRepository(join(folder, 'served/other'), '--object-format=sha256');
    const commit = other.commit({ a: 'a' });
    for (const ref of [undefined, commit]) {
      const { path, commit: got } = await checkout({ remote: `${server.url}/other/.git`, ref, keepGitDir: true });
      expect(got).toBe(commit);
      expect((await runProgram('git', ['-C', path, 'status', '--porcelain'])).stdout).toBe('');
    }
  });

  it('CVE-2026-33748: takes a part of the files, which no link leads to', async () => {
    repository.commit({ 'd/e/f': 'f', 'd/link': '-> e', file: 'x', out: '-> /etc' });
    expect(listing((await checkout({ subdirectory: 'd/e' })).path)).toEqual([`f 644 ${digestOf('f')}`]);
    const kept = await checkout({ subdirectory: 'd', keepGitDir: true });
    expect(listing(kept.path)).toEqual(['e/ 755', `e/f 644 ${digestOf('f')}`, 'link -> e']);
    rmSync(join(folder, 'checkouts'), { recursive: true });
    mkdirSync(join(folder, 'checkouts'));
    const refused = async (subdirectory: string): Promise<unknown> =>
      await checkout({ subdirectory }).catch(error => (error as { code?: unknown }).code);
    expect(await refused('nowhere')).toBe('PATH_NOT_FOUND');
    expect(await refused('.git')).toBe('PATH_NOT_FOUND');
    expect(await refused('d/link')).toBe('PATH_INVALID');
    expect(await refused('out/ssl')).toBe('PATH_INVALID');
    expect(await refused('file')).toBe('PATH_INVALID');
  });

  it('fetches what is asked for twice once', async () => {
    repository.commit({ 'd/a': 'a' });
    const all = repositories();
    const request = { remote: `${server.url}/name/.git`, transport: 'http' } as const;
    const [one, two] = await Promise.all([all.checkout(request), all.checkout({ ...request, subdirectory: 'd' })]);
    expect(two.path).toBe(join(one.path, 'd'));
    expect(server.requests.filter(({ url }) => url?.includes('info/refs'))).toHaveLength(2);
    await all.checkout({ ...request, keepGitDir: true });
    expect(readdirSync(join(folder, 'checkouts'))).toHaveLength(2);
  });

  it('tells how much has been received', async () => {
    writeFileSync(
      join(repository.path, 'big'),
      createHash('shake256', { outputLength: 3_000_000 }).update('x').digest(),
    );
    repository.commit({});
    const told: number[] = [];
    const request = { remote: `${server.url}/name/.git`, transport: 'http' } as const;
    await repositories().checkout(request, { onProgress: bytes => told.push(bytes) });
    expect(told.at(-1)).toBeGreaterThan(2_900_000);
  });
});

describeWith(['git'], 'checksums of commits', () => {
  it('hold the commit, or the tag that leads to it', async () => {
    const commit = repository.commit({ a: 'a' });
    repository.git('tag', '-a', '-m', 'x', 'v1');
    const tag = repository.git('rev-parse', 'v1');
    for (const checksum of [commit, commit.slice(0, 1), commit.slice(0, 7), tag, tag.slice(0, 7)]) {
      expect((await checkout({ ref: 'v1', checksum })).commit).toBe(commit);
    }
    expect((await checkout({ checksum: commit })).commit).toBe(commit);
    rmSync(join(folder, 'checkouts'), { recursive: true });
    mkdirSync(join(folder, 'checkouts'));
    const wrong = commit.replace(/^./, digit => (digit === '0' ? '1' : '0'));
    for (const ref of [undefined, 'v1', 'main']) {
      const { details } = await failure(checkout({ ref, checksum: wrong }), 'DIGEST_MISMATCH');
      expect(details).toMatchObject({ expected: wrong });
    }
  });

  it('are not what the server says, but what it sends', async () => {
    const commit = repository.commit({ a: 'a' });
    repository.git('tag', '-a', '-m', 'x', 'v1');
    const tag = repository.git('rev-parse', 'v1');
    const lie = 'f'.repeat(40);
    const lying = await webServer((request, response) => {
      if (request.url?.startsWith('/name/info/refs')) {
        response.writeHead(200, { 'content-type': 'text/plain' });
        response.end(`${tag}\trefs/tags/v1\n${lie}\trefs/tags/v1^{}\n`);
        return;
      }
      const file = join(repository.path, '.git', request.url!.replace('/name/', ''));
      if (!existsSync(file)) response.writeHead(404).end();
      else response.end(readFileSync(file));
    });
    try {
      const request = { remote: `${lying.url}/name`, ref: 'v1' };
      expect((await checkout(request)).commit).toBe(commit);
      rmSync(join(folder, 'checkouts'), { recursive: true });
      mkdirSync(join(folder, 'checkouts'));
      await failure(checkout({ ...request, checksum: 'ffff' }), 'DIGEST_MISMATCH');
    } finally {
      await lying.close();
    }
  });

  it('can be what is fetched, wherever the ref has gone', async () => {
    const first = repository.commit({ a: 'one' });
    repository.commit({ a: 'two' });
    const request = { ref: 'main', checksum: first, fetchByCommit: true, keepGitDir: true };
    const { path, commit } = await checkout(request);
    expect(commit).toBe(first);
    expect(readFileSync(join(path, '.git/refs/heads/main'), 'utf8')).toBe(`${first}\n`);
  });
});

describeWith(['git'], 'a .git that is kept', () => {
  it('is a sound repository of one commit, without a trace of machine and time', async () => {
    repository.commit({ a: 'one' });
    const commit = repository.commit({ a: 'two', 'd/b': 'b' });
    repository.git('tag', '-a', '-m', 'x', 'v1');
    const { path } = await checkout({ keepGitDir: true, ref: 'v1' });
    const git = async (...args: string[]): Promise<string> => (await runProgram('git', ['-C', path, ...args])).stdout;
    expect(await git('status', '--porcelain')).toBe('');
    expect(await git('fsck', '--strict')).toBe('');
    expect(await git('rev-list', '--all')).toBe(`${commit}\n`);
    expect(await git('describe', '--exact-match')).toBe('v1\n');
    expect(await git('config', 'remote.origin.url')).toBe(`${server.url}/name/.git\n`);
    expect(readdirSync(join(path, '.git')).sort()).toEqual(['HEAD', 'config', 'index', 'objects', 'refs', 'shallow']);
    const branch = await checkout({ keepGitDir: true });
    const refs = (await runProgram('git', ['-C', branch.path, 'for-each-ref', '--format=%(refname)'])).stdout;
    expect(refs).toBe('refs/heads/main\nrefs/remotes/origin/main\n');
  });

  it('has the same bytes however the server packs', async () => {
    const inner = new GitRepository(join(folder, 'served/inner'));
    inner.commit({ i: 'inner' });
    for (let version = 0; version < 20; version++) repository.commit({ a: `${'line\n'.repeat(2000)}${version}` });
    repository.git('submodule', 'add', '-q', inner.path, 'sub');
    repository.git('config', '-f', '.gitmodules', 'submodule.sub.url', '../../inner/.git');
    repository.commit({});
    const loose = listing((await checkout({ keepGitDir: true })).path);
    for (const { path } of [repository, inner]) {
      await runProgram('git', ['-C', path, 'repack', '-q', '-adf', '--depth=50', '--window=50']);
    }
    expect(listing((await checkout({ keepGitDir: true })).path)).toEqual(loose);
    expect(loose.filter(line => line.includes('.git/modules/sub/HEAD'))).toHaveLength(1);
  });

  it('holds no password', async () => {
    repository.commit({ a: 'a' });
    const remote = `${server.url.replace('://', '://me:hunter2@')}/name/.git`;
    const { path } = await checkout({ remote, keepGitDir: true });
    expect(server.requests.at(-1)?.headers.authorization).toBe(`Basic ${btoa('me:hunter2')}`);
    await expect(runProgram('grep', ['-r', 'hunter2', path])).rejects.toThrow('exit code 1');
  });
});

describeWith(['git'], 'submodules', () => {
  let inner: GitRepository;
  beforeEach(() => {
    inner = new GitRepository(join(folder, 'served/inner'));
    inner.commit({ i: 'inner' });
  });

  function add(address: string, name = 'sub', path = 'sub'): void {
    repository.git('update-index', '--add', '--cacheinfo', `160000,${inner.git('rev-parse', 'HEAD')},${path}`);
    repository.git('config', '-f', '.gitmodules', `submodule.${name}.path`, path);
    repository.git('config', '-f', '.gitmodules', `submodule.${name}.url`, address);
    repository.git('add', '.gitmodules');
    repository.git('commit', '-q', '-m', 'submodule');
  }

  it('are fetched too, and theirs', async () => {
    const innermost = new GitRepository(join(folder, 'served/innermost'));
    innermost.commit({ x: 'innermost' });
    inner.git('submodule', 'add', '-q', innermost.path, 'deep/er');
    inner.git('config', '-f', '.gitmodules', 'submodule.deep/er.url', `${server.url}/innermost/.git`);
    inner.commit({});
    add('../../inner/.git', 'a/b', 'lib/sub');
    for (const keepGitDir of [false, true]) {
      const { path } = await checkout({ keepGitDir });
      expect(readFileSync(join(path, 'lib/sub/i'), 'utf8')).toBe('inner');
      expect(readFileSync(join(path, 'lib/sub/deep/er/x'), 'utf8')).toBe('innermost');
      expect(existsSync(join(path, 'lib/sub/.git'))).toBe(keepGitDir);
      if (!keepGitDir) continue;
      const { stdout } = await runProgram('git', ['-C', path, 'submodule', 'status', '--recursive']);
      expect(stdout.replace(/[0-9a-f]{40}|\(.*\)/g, '').split('\n')).toEqual(['  lib/sub ', '  lib/sub/deep/er ', '']);
      expect((await runProgram('git', ['-C', path, 'status', '--porcelain'])).stdout).toBe('');
    }
    const { path } = await checkout({ submodules: false });
    expect(readdirSync(join(path, 'lib/sub'))).toEqual([]);
  });

  it('are left out where .gitmodules says so', async () => {
    add('https://nowhere.invalid/x.git');
    repository.git('config', '-f', '.gitmodules', 'submodule.sub.update', 'none');
    repository.git('commit', '-q', '-m', 'none', '.gitmodules');
    expect(readdirSync(join((await checkout()).path, 'sub'))).toEqual([]);
  });

  it.each([
    ['a path', () => inner.path],
    ['a file', () => `file://${inner.path}`],
    ['a program', () => `ext::sh -c 'touch ${folder}/touched'`],
    ['a program in an option', () => `-u./touch ${folder}/touched`],
    ['a program behind ssh', () => `ssh://-oProxyCommand=touch%20${folder}/touched/x`],
    ['ssh, which the repository itself is not fetched with', () => 'git@example.org:x/y.git'],
    ['a folder above the server', () => '../../../../x'],
    ['a line end', () => 'https://example.org/x\n.git'],
    ['nothing', () => ''],
  ])('CVE-2022-39253: may not come from %s', async (_, address) => {
    add(address());
    await failure(checkout(), 'GIT_REPOSITORY');
    expect(existsSync(join(folder, 'touched'))).toBe(false);
  });

  it.each(['..', 'a/../../b', '/', '.', 'a\tb'])('CVE-2018-11235: may not be called %j', async name => {
    add('../../inner/.git', name);
    await failure(checkout({ keepGitDir: true }), 'GIT_REPOSITORY');
  });

  it('may not lie inside each other', async () => {
    add('../../inner/.git', 'one', 'one');
    add('../../inner/.git', 'one/hooks', 'two');
    await failure(checkout({ keepGitDir: true }), 'GIT_REPOSITORY');
  });

  it('must be in .gitmodules', async () => {
    add('../../inner/.git');
    repository.git('rm', '-q', '--cached', '.gitmodules');
    repository.git('commit', '-q', '-m', 'x');
    await failure(checkout(), 'GIT_REPOSITORY');
    await checkout({ submodules: false });
  });
});

describeWith(['git'], 'hostile repositories', () => {
  function commitTree(entries: ReadonlyArray<readonly [mode: string, name: string, id: string]>): string {
    const bytes = entries.map(([mode, name, id]) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]),
    );
    const file = join(folder, 'tree');
    writeFileSync(file, Buffer.concat(bytes));
    return repository.git('hash-object', '-w', '-t', 'tree', '--literally', file);
  }
  function blob(content: string): string {
    writeFileSync(join(folder, 'blob'), content);
    return repository.git('hash-object', '-w', join(folder, 'blob'));
  }
  function head(tree: string): void {
    repository.git('update-ref', 'refs/heads/main', repository.git('commit-tree', '-m', 'x', tree));
  }

  it.each([['.git'], ['.GIT'], ['..'], ['git~1'], ['.git\u200c']])('CVE-2014-9390: cannot write to %j', async name => {
    head(commitTree([['40000', name, commitTree([['100644', 'config', blob('[core]')]])]]));
    const result = await checkout().catch(error => error as unknown);
    expect(isLadingError(result, 'GIT_REPOSITORY')).toBe(true);
    expect(readdirSync(join(folder, 'checkouts'))).toEqual([]);
  });

  it('CVE-2021-21300: cannot write through a link', async () => {
    const outside = join(folder, 'outside');
    mkdirSync(outside);
    const inside = commitTree([['100644', 'file', blob('x')]]);
    head(
      commitTree([
        ['120000', 'a', blob(outside)],
        ['40000', 'a', inside],
      ]),
    );
    await checkout().catch(() => {});
    expect(readdirSync(outside)).toEqual([]);
  });

  it('execute nothing', async () => {
    const run = `touch ${folder}/touched`;
    repository.commit({
      '.gitattributes': '* filter=evil diff=evil\n',
      '.gitconfig': `[filter "evil"]\n\tsmudge = ${run}\n`,
      'hooks/post-checkout': `#!/bin/sh\n${run}\n`,
      '.gitmodules': `[submodule "x"]\n\tpath = x\n\turl = ./x\n\tupdate = !${run}\n`,
      a: 'a',
    });
    chmodSync(join(repository.path, 'hooks/post-checkout'), 0o755);
    repository.commit({ b: 'b' });
    const home = join(folder, 'home');
    mkdirSync(home);
    writeFileSync(join(home, '.gitconfig'), `[core]\n\tfsmonitor = ${run}\n\thooksPath = ${repository.path}/hooks\n`);
    const config = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'core.fsmonitor', GIT_CONFIG_VALUE_0: run };
    const env = { ...process.env, HOME: home, GIT_CONFIG_GLOBAL: join(home, '.gitconfig'), GIT_SSH: run, ...config };
    await checkout({}, { env });
    expect(existsSync(join(folder, 'touched'))).toBe(false);
  });

  it('cannot fill the disk from a few bytes', async () => {
    const limits = { entries: 5000, bytes: 50_000_000, repositories: 2 };
    let tree = commitTree(names(20).map(name => ['100644', name, blob('x')] as const));
    for (let level = 0; level < 9; level++) tree = commitTree(names(20).map(name => ['40000', name, tree] as const));
    head(tree);
    const { details } = await failure(checkout({}, { limits }), 'SIZE_EXCEEDED');
    expect(details).toMatchObject({ limit: 5000 });
    const big = blob('\0'.repeat(1_000_000));
    head(commitTree(names(51).map(name => ['100644', name, big] as const)));
    expect((await failure(checkout({}, { limits }), 'SIZE_EXCEEDED')).details).toMatchObject({ limit: 50_000_000 });
    const noise = createHash('shake256', { outputLength: 3_000_000 }).update('x').digest();
    writeFileSync(join(repository.path, 'big'), noise);
    repository.commit({});
    const small = { ...limits, bytes: 2_000_000 };
    expect((await failure(checkout({}, { limits: small }), 'SIZE_EXCEEDED')).details).toMatchObject({
      limit: 2_000_000,
    });
    rmSync(join(repository.path, 'big'));
    repository.commit({ '.gitmodules': '[submodule "n"]\n\tpath = n\n\turl = ./\n' });
    for (let depth = 0; depth < 3; depth++) {
      repository.git('update-index', '--add', '--cacheinfo', `160000,${repository.git('rev-parse', 'HEAD')},n`);
      repository.git('commit', '-q', '-m', 'x');
    }
    expect((await failure(checkout({}, { limits }), 'SIZE_EXCEEDED')).details).toMatchObject({ limit: 2 });
  });

  it('must have made their commits at some time', async () => {
    const tree = commitTree([['100644', 'a', blob('a')]]);
    const file = join(folder, 'commit');
    writeFileSync(file, `tree ${tree}\nauthor A <a> 1 +0000\ncommitter C <c> 999999999999999 +0000\n\nx\n`);
    repository.git(
      'update-ref',
      'refs/heads/main',
      repository.git('hash-object', '-w', '-t', 'commit', '--literally', file),
    );
    await failure(checkout(), 'GIT_REPOSITORY');
  });
});

async function freePort(): Promise<number> {
  const server = await webServer(() => {});
  await server.close();
  return Number(new URL(server.url).port);
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `f${String(i).padStart(3, '0')}`);
}

describeWith(['git'], 'repositories that cannot be had', () => {
  it.each([
    ['a ref that is not there', { ref: 'nothing' }],
    ['a short id', { ref: 'abcdef0' }],
    ['a commit that is not there', { ref: '0123456789abcdef0123456789abcdef01234567' }],
    ['a name that is the end of another', { ref: 'ain' }],
  ])('%s', async (_, request) => {
    repository.commit({ a: 'a' });
    const { details } = await failure(checkout(request), 'GIT_REPOSITORY');
    expect(details).toEqual({ repository: `${server.url}/name/.git`, ref: request.ref });
  });

  it('an object that is no commit', async () => {
    repository.commit({ a: 'a' });
    await failure(checkout({ ref: repository.git('rev-parse', 'HEAD:a') }), 'GIT_REPOSITORY');
  });

  it('a repository that is empty, or is not there', async () => {
    await failure(checkout(), 'GIT_REPOSITORY');
    await failure(checkout({ remote: `${server.url}/other/.git` }), 'GIT_REPOSITORY');
    await server.close();
    await failure(checkout(), 'GIT_REPOSITORY');
  });

  it('a path of this machine, a program', async () => {
    repository.commit({ a: 'a' });
    for (const remote of [repository.path, `file://${repository.path}`, 'ext::sh -c true']) {
      await failure(checkout({ remote }), 'GIT_REPOSITORY');
    }
  });

  it('says so when there is no git, or an old one', async () => {
    const PATH = join(folder, 'bin');
    mkdirSync(PATH);
    const { details } = await failure(checkout({}, { env: { PATH } }), 'PROGRAM_MISSING');
    expect(details).toEqual({ program: 'git' });
    writeFileSync(join(PATH, 'git'), '#!/bin/sh\necho git version 2.30.9\n', { mode: 0o755 });
    await failure(checkout({}, { env: { PATH } }), 'UNSUPPORTED');
  });

  it.each([
    ['before an answer', 0],
    ['inside an answer', 100],
  ])('can be given up %s, and nothing goes on', async (_, bytes) => {
    const controller = new AbortController();
    const silent = await webServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
      response.write('0'.repeat(bytes));
      setTimeout(() => controller.abort(new Error('enough')), 50);
    });
    try {
      const request = { remote: `${silent.url}/name.git`, transport: 'http' } as const;
      const work = repositories().checkout(request, { signal: controller.signal });
      await expect(work).rejects.toThrow('enough');
      expect(readdirSync(join(folder, 'checkouts'))).toEqual([]);
      const { stdout } = await runProgram('ps', ['-eo', 'args']);
      expect(stdout.split('\n').filter(line => line.includes(silent.url))).toEqual([]);
    } finally {
      await silent.close();
    }
  });

  it('can be given up before it is begun', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const work = repositories().checkout({ remote: 'https://nowhere.invalid/x.git', transport: 'https' }, { signal });
    await expect(work).rejects.toThrow('enough');
  });
});

describeWith(['git'], 'who asks', () => {
  const wanted = `basic ${btoa('x-access-token:hunter2')}`;
  let guarded: GitServer;
  beforeEach(async () => {
    repository.commit({ a: 'a' });
    guarded = await gitServer(join(folder, 'served'), {
      before: ({ headers }, response) => {
        if (headers.authorization === wanted) return false;
        response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
        return true;
      },
    });
  });
  afterEach(() => guarded.close());

  it('is told to the server of the address, and stands on no command line', async () => {
    const remote = `${guarded.url}/name/.git`;
    const { hint } = await failure(checkout({ remote }), 'GIT_REPOSITORY');
    expect(hint).toContain('GIT_AUTH_TOKEN');
    const log = join(folder, 'log');
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    const script = `#!/bin/sh\necho "$@" >>${log}\nexec ${findProgram('git')} "$@"\n`;
    writeFileSync(join(bin, 'git'), script, { mode: 0o755 });
    const asked: string[] = [];
    await checkout(
      { remote, keepGitDir: true },
      {
        env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` },
        authorization: async address => {
          asked.push(address);
          return wanted;
        },
      },
    );
    expect(asked).toEqual([remote]);
    expect(readFileSync(log, 'utf8')).toContain('ls-remote');
    for (const secret of ['hunter2', wanted]) expect(readFileSync(log, 'utf8')).not.toContain(secret);
    await expect(runProgram('grep', ['-r', btoa('x-access-token:hunter2'), folder])).rejects.toThrow('exit code 1');
  });

  it('is not told to whom the server leads', async () => {
    const elsewhere = await gitServer(join(folder, 'served'));
    const leading = await webServer((request, response) => {
      response.writeHead(302, { location: `${elsewhere.url}${request.url}` }).end();
    });
    try {
      const remote = `${leading.url}/name/.git`;
      expect((await checkout({ remote })).commit).toBe(repository.git('rev-parse', 'HEAD'));
      rmSync(join(folder, 'checkouts'), { recursive: true });
      mkdirSync(join(folder, 'checkouts'));
      await failure(checkout({ remote }, { authorization: async () => wanted }), 'GIT_REPOSITORY');
      expect(elsewhere.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    } finally {
      await leading.close();
      await elsewhere.close();
    }
  });

  it('goes to submodules of the same server when it stands in the address, and to no other', async () => {
    const inner = new GitRepository(join(folder, 'served/inner'));
    inner.commit({ i: 'inner' });
    repository.git('submodule', 'add', '-q', inner.path, 'sub');
    const remote = `${server.url.replace('://', '://me:pw@')}/name/.git`;
    for (const [address, sent] of [
      ['../../inner/.git', `Basic ${btoa('me:pw')}`],
      [`${guarded.url}/inner/.git`, undefined],
    ] as const) {
      repository.git('config', '-f', '.gitmodules', 'submodule.sub.url', address);
      repository.commit({});
      await checkout({ remote }).catch(() => {});
      const { requests } = sent === undefined ? guarded : server;
      const heard = requests.filter(({ url }) => url?.startsWith('/inner')).map(({ headers }) => headers.authorization);
      expect(new Set(heard)).toEqual(new Set([sent]));
    }
  });

  it('is in no failure', async () => {
    const remote = `${guarded.url.replace('://', '://me:hunter3@')}/name/.git`;
    const error = await failure(checkout({ remote }), 'GIT_REPOSITORY');
    expect(JSON.stringify([error.message, error.details, error.hint, error.stack])).not.toContain('hunter3');
  });

  it('is for SSH the agent of the user', async () => {
    const ssh = join(folder, 'ssh');
    const log = join(folder, 'log');
    writeFileSync(ssh, `#!/bin/sh\necho "$SSH_AUTH_SOCK $HOME" >>${log}\nfor last; do :; done\neval exec "$last"\n`, {
      mode: 0o755,
    });
    const env = { ...process.env, GIT_SSH_COMMAND: ssh, SSH_AUTH_SOCK: '/agent' };
    const { path } = await checkout({ remote: `git@example.org:${repository.path}`, transport: 'ssh' }, { env });
    expect(readdirSync(path)).toEqual(['a']);
    expect(new Set(readFileSync(log, 'utf8').trim().split('\n'))).toEqual(new Set([`/agent ${join(path, '../home')}`]));
  });
});
