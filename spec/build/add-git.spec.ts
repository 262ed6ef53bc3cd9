import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { BuildImageEvent, BuildImageOptions } from '../../src/api/build-image.js';
import { type ErrorCode, isLadingError, type LadingError } from '../../src/errors/errors.js';
import { type Built, built, writeFiles } from '../support/building.js';
import { GitRepository, type GitServer, gitServer } from '../support/git-server.js';
import { describeWith } from '../support/programs.js';
import { runProgram } from '../support/run-program.js';
import { webServer } from '../support/web-server.js';

let folder: string;
let server: GitServer;
let repository: GitRepository;
let commit: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lading-add-git-'));
  server = await gitServer(join(folder, 'served'));
  repository = new GitRepository(join(folder, 'served/name'));
  writeFiles(repository.path, { 'docs/a.md': 'a', 'docs/b.txt': 'b', readme: 'r', link: '-> docs/a.md' });
  writeFileSync(join(repository.path, 'run'), '#!', { mode: 0o755 });
  commit = repository.commit({}, 900_000_000);
  repository.git('tag', 'v1');
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function build(instructions: string, options: Partial<BuildImageOptions> = {}): Promise<Built> {
  const context = join(folder, 'context');
  const text = instructions.replaceAll('REPO', `${server.url}/name/.git`);
  writeFiles(context, { Dockerfile: `FROM scratch\n${text}\n`, local: 'l' });
  return built(join(folder, 'store'), context, { pull: 'missing', env: process.env, ...options });
}

async function failure(work: Promise<unknown>, code: ErrorCode): Promise<LadingError> {
  const error = await work.then(
    () => undefined,
    thrown => thrown as unknown,
  );
  if (!isLadingError(error, code)) throw error ?? new Error('did not fail');
  const left = readdirSync(join(folder, 'store'), { recursive: true, encoding: 'utf8' });
  expect(left.filter(name => name.includes('git-'))).toEqual([]);
  return error;
}

const whole = [
  'docs directory 755 0:0',
  'docs/a.md file 644 0:0 1',
  'docs/b.txt file 644 0:0 1',
  'link symlink 777 0:0 -> docs/a.md',
  'readme file 644 0:0 1',
  'run file 755 0:0 2',
];
const inside = (path: string, lines: readonly string[] = whole): string[] => [
  `${path} directory 755 0:0`,
  ...lines.map(line => `${path}/${line}`),
];

describeWith(['git'], 'ADD of a Git repository', () => {
  it.each([
    ['ADD REPO /', whole],
    ['ADD REPO /d', inside('d')],
    ['WORKDIR /d\nADD REPO .', inside('d')],
    ['ADD REPO#v1 /d/', inside('d')],
    ['ADD REPO#:docs /d/', inside('d', ['a.md file 644 0:0 1', 'b.txt file 644 0:0 1'])],
    ['ARG R=v1\nADD REPO?tag=$R&subdir=docs /d', inside('d', ['a.md file 644 0:0 1', 'b.txt file 644 0:0 1'])],
    ['ADD --exclude=docs --exclude=**/run REPO /d', inside('d', [whole[3]!, whole[4]!])],
    ['ADD --link REPO#:docs /d/', inside('d', ['a.md file 644 0:0 1', 'b.txt file 644 0:0 1'])],
    [
      'ADD --chown=3:4 --chmod=u=rwX,go= REPO#:docs /d',
      ['d directory 755 3:4', 'd/a.md file 600 3:4 1', 'd/b.txt file 600 3:4 1'],
    ],
    ['ADD local REPO#:docs /d/', inside('d', ['a.md file 644 0:0 1', 'b.txt file 644 0:0 1', 'local file 644 0:0 1'])],
  ])('puts its files where %s says', async (instructions, files) => {
    expect((await build(instructions)).files).toEqual(files);
  });

  it.each(['ADD --keep-git-dir REPO /', 'ADD REPO?keep-git-dir=true /', 'ADD --keep-git-dir=true REPO#v1 /'])(
    'keeps .git with %s',
    async instructions => {
      const { files } = await build(instructions);
      expect(files).toContain('.git/HEAD file 644 0:0 41');
      expect(files.filter(line => !line.startsWith('.git'))).toEqual(whole);
    },
  );

  it('gives the files the time of the commit, or the earlier one of the build', async () => {
    const layerTimes = async (options: Partial<BuildImageOptions>): Promise<Set<number>> => {
      const out = join(folder, 'out.tar');
      await build('ADD --keep-git-dir REPO /d', { ...options, outputs: [{ type: 'tar', dest: out }] });
      const { stdout } = await runProgram('tar', ['-tv', '--full-time', '--utc', '-f', out]);
      return new Set(stdout.match(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g)!.map(text => Date.parse(`${text}Z`) / 1000));
    };
    expect(await layerTimes({ timestamps: 'keep' })).toEqual(new Set([900_000_000]));
    expect(await layerTimes({ buildArgs: { SOURCE_DATE_EPOCH: '800000000' } })).toEqual(new Set([800_000_000]));
  });

  it('is the same layer again, from the cache, wherever it comes from', async () => {
    const events: BuildImageEvent[] = [];
    const instructions = 'ADD --keep-git-dir REPO /d';
    const one = await build(instructions);
    await new Promise(resolve => setTimeout(resolve, 1100));
    const two = await build(instructions, { onEvent: event => events.push(event) });
    expect(two.descriptor).toEqual(one.descriptor);
    expect(events).toContainEqual(expect.objectContaining({ kind: 'step-done', cached: true }));
    expect(events).toContainEqual(
      expect.objectContaining({ kind: 'step-fetch', url: `${server.url}/name/.git`, bytes: 0 }),
    );
    const fresh = await build(instructions, { noCache: true });
    expect(fresh.descriptor).toEqual(one.descriptor);
  });

  it('fetches a repository that several steps and platforms name once', async () => {
    await build('ADD REPO#v1:docs /a\nADD REPO#v1 /b', { platforms: ['linux/amd64', 'linux/arm64'] });
    expect(server.requests.filter(({ method }) => method === 'GET')).toHaveLength(2);
  });

  it('holds it to its checksum', async () => {
    expect((await build(`ADD --checksum=${commit.slice(0, 7)} REPO /`)).files).toEqual(whole);
    const error = await failure(build(`ARG C=ffff\nADD --checksum=$C REPO /`), 'DIGEST_MISMATCH');
    expect(error).toMatchObject({ place: { range: { start: { line: 3 } } } });
  });

  it.each([
    ['ADD REPO#nothing /', 'GIT_REPOSITORY'],
    ['ADD REPO#:nothing /', 'PATH_NOT_FOUND'],
    ['ADD REPO#:readme /', 'PATH_INVALID'],
    ['ADD REPO?depth=1 /', 'INVALID_VALUE'],
  ] as const)('fails with the line for %s', async (instructions, code) => {
    const error = await failure(build(instructions), code);
    expect(error).toMatchObject({ place: { range: { start: { line: 2 } } } });
    expect(error.place?.excerpt).toContain('>>> ADD');
  });

  it('asks nobody offline, and starts no git that is not there', async () => {
    await failure(build('ADD REPO /', { pull: 'never' }), 'GIT_REPOSITORY');
    await failure(build('ADD REPO /', { env: { PATH: folder } }), 'PROGRAM_MISSING');
  });

  it('tells the server who asks with a secret, and lets it nowhere else', async () => {
    const token = 'hunter2hunter2';
    const asked: Array<string | undefined> = [];
    const guarded = await gitServer(join(folder, 'served'), {
      before: ({ headers }, response) => {
        asked.push(headers.authorization);
        if (headers.authorization === `basic ${btoa(`x-access-token:${token}`)}`) return false;
        response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
        return true;
      },
    });
    try {
      const events: BuildImageEvent[] = [];
      const add = `ADD --keep-git-dir ${guarded.url}/name/.git /`;
      const id = `GIT_AUTH_TOKEN.${new URL(guarded.url).host}`;
      const onEvent = (event: BuildImageEvent): void => void events.push(event);
      const { config, files } = await build(add, { secrets: { [id]: { value: `${token}\n` } }, onEvent });
      expect(files).toContain('readme file 644 0:0 1');
      expect(new Set(asked).size).toBe(1);
      expect(JSON.stringify([config, events])).not.toContain(token);
      const error = await failure(build(add), 'GIT_REPOSITORY');
      expect(error.hint).toContain('GIT_AUTH_TOKEN');
    } finally {
      await guarded.close();
    }
  });

  it('lets no password into history, events or the cache', async () => {
    const events: BuildImageEvent[] = [];
    const address = `${server.url.replace('://', '://me:hunter2@')}/name/.git`;
    const { config } = await build(`ADD ${address} /a`, { onEvent: event => events.push(event) });
    expect(JSON.stringify([config, events])).not.toContain('hunter2');
    expect(config.history?.at(-1)?.created_by).toBe(
      `ADD ${server.url.replace('://', '://REDACTED@')}/name/.git /a # buildkit`,
    );
  });

  it('is among what the image was made from, with its commit; so are contexts', async () => {
    const remote = `${server.url}/name/.git`;
    const digest = { sha1: commit };
    const statement = async (text: string, options: Partial<BuildImageOptions> = {}): Promise<unknown> =>
      (await build(text, options)).images[0]!.provenance;
    expect(await statement('ADD REPO#v1:docs /')).toMatchObject({
      materials: [{ uri: `${remote}#v1:docs`, digest }],
      metadata: { completeness: { materials: false } },
    });
    const buildContexts = { src: `${remote}?tag=v1`, unused: `${remote}#nothing` };
    const named = { materials: [{ uri: `${remote}#refs/tags/v1`, digest }] };
    expect(await statement('COPY --from=src run /', { buildContexts })).toMatchObject(named);
    expect(await statement('FROM src', { buildContexts })).toMatchObject({
      ...named,
      invocation: {
        parameters: { args: { 'context:src': `${remote}#refs/tags/v1` }, locals: [{ name: 'dockerfile' }] },
      },
    });
    const dockerfileText = 'FROM scratch\nCOPY run /\n';
    expect(await statement('', { context: remote, dockerfileText })).toMatchObject({
      materials: [{ uri: remote, digest }],
      invocation: { configSource: { entryPoint: 'Dockerfile' }, parameters: { locals: [{ name: 'dockerfile' }] } },
    });
    writeFiles(repository.path, { Dockerfile: dockerfileText });
    const whole = { sha1: repository.commit({}) };
    expect(await statement('', { context: remote })).toMatchObject({
      materials: [{ uri: remote, digest: whole }],
      invocation: { configSource: { uri: remote, digest: whole, entryPoint: 'Dockerfile' } },
      metadata: { completeness: { materials: true } },
    });
  });

  it('leaves nothing behind when it is ended', async () => {
    const controller = new AbortController();
    const silent = await webServer(() => controller.abort(new Error('enough')));
    try {
      const work = build(`ADD ${silent.url}/name.git /a`, { signal: controller.signal });
      await expect(work).rejects.toThrow('enough');
      const left = readdirSync(join(folder, 'store'), { recursive: true, encoding: 'utf8' });
      expect(left.filter(name => name.includes('git-'))).toEqual([]);
    } finally {
      await silent.close();
    }
  });
});
