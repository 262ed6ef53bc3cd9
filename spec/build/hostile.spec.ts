import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageOptions } from '../../src/api/build-image.js';
import { isLadingError } from '../../src/errors/errors.js';
import { padded, type RawHeader, rawHeader } from '../layer/raw-tar.js';
import { type Built, built, writeFiles } from '../support/building.js';

let folder: string;
let context: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-hostile-'));
  context = join(folder, 'context');
  writeFiles(folder, { 'outside/secret': 'secret' });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function build(dockerfile: string, options: Partial<BuildImageOptions> = {}): Promise<Built> {
  return built(join(folder, 'store'), context, { dockerfileText: `FROM scratch\n${dockerfile}\n`, ...options });
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    thrown => thrown as unknown,
  );
  if (!isLadingError(error)) throw error ?? new Error('nothing failed');
  return error.code;
}

const command = (name: string, ...args: string[]): void => void execFileSync(name, args);

describe('a hostile context', () => {
  it('cannot be left, whatever its links and the paths of the Dockerfile', async () => {
    writeFiles(context, {
      'inside/file': 'in',
      up: '-> ../outside',
      absolute: `-> ${folder}/outside/secret`,
      root: '-> /',
      far: '-> ../../../../../../../../etc/passwd',
    });
    for (const source of ['up/secret', 'absolute', 'far', 'root/etc/passwd', '../outside/secret', '/etc/passwd']) {
      expect([source, await codeOf(build(`COPY ${source} /x`))]).toEqual([source, 'SOURCE_NOT_FOUND']);
    }
    expect((await build('COPY root/inside/file ../../inside/../root/root/inside/f* /x/')).files).toEqual([
      'x directory 755 0:0',
      'x/file file 644 0:0 2',
    ]);
  });

  it('with links in a circle is copied as it is, and only following them fails', async () => {
    writeFiles(context, { a: '-> b', b: '-> a', self: '-> self/x', 'd/up': '-> ..' });
    expect((await build('COPY . /\nCOPY d/up/d/up/d /again/')).files).toEqual([
      'a symlink 777 0:0 -> b',
      'again directory 755 0:0',
      'again/up symlink 777 0:0 -> ..',
      'b symlink 777 0:0 -> a',
      'd directory 755 0:0',
      'd/up symlink 777 0:0 -> ..',
      'self symlink 777 0:0 -> self/x',
    ]);
    for (const source of ['a', 'self', 'a/x', 'self/*']) {
      expect([source, await codeOf(build(`COPY ${source} /x`))]).toEqual([source, 'PATH_INVALID']);
    }
    expect(await codeOf(build('COPY . /\nCOPY d a/x'))).toBe('PATH_INVALID');
  });

  it('may be a link itself', async () => {
    writeFiles(folder, { 'real/f': '1', 'real/.dockerignore': 'hidden', 'real/hidden': '2', context: '-> real' });
    expect((await build('COPY . /')).files).toEqual(['.dockerignore file 644 0:0 6', 'f file 644 0:0 1']);
  });

  it('holds pipes and sockets without blocking a build', async () => {
    mkdirSync(context);
    command('mkfifo', join(context, 'pipe'));
    const server = createServer().listen(join(context, 'socket'));
    await new Promise(resolve => server.once('listening', resolve));
    try {
      chmodSync(join(context, 'socket'), 0o755);
      chmodSync(join(context, 'pipe'), 0o644);
      expect((await build('COPY . /\nCOPY pipe /p')).files).toEqual([
        'p fifo 644 0:0',
        'pipe fifo 644 0:0',
        'socket file 755 0:0 0',
      ]);
      expect((await build('ADD pipe socket /x/')).files).toHaveLength(3);
    } finally {
      server.close();
    }
  });

  it('cannot make the build wait for its Dockerfile or ignore file, or read them without end', async () => {
    mkdirSync(context);
    command('mkfifo', join(context, '.dockerignore'));
    expect(await codeOf(build('COPY . /'))).toBe('IO');
    rmSync(join(context, '.dockerignore'));
    symlinkSync('/dev/zero', join(context, '.dockerignore'));
    expect(await codeOf(build('COPY . /'))).toBe('IO');
    rmSync(join(context, '.dockerignore'));
    symlinkSync('/dev/zero', join(context, 'Dockerfile'));
    expect(await codeOf(built(join(folder, 'store'), context))).toBe('IO');
    expect(await codeOf(built(join(folder, 'store'), context, { dockerfile: '/dev/zero' }))).toBe('SIZE_EXCEEDED');
  });

  it('may have any names, and names that mean something elsewhere', async () => {
    const names = [
      '__proto__',
      'constructor',
      'toString',
      'line\nbreak',
      '\u001b[2J',
      '-rf',
      ' ',
      '*',
      '[',
      '\\',
      'ünï',
    ];
    for (const name of names) writeFiles(context, { [name]: name });
    const { files } = await build('COPY . /\nCOPY __proto__ constructor /p/\nCOPY ["line\\nbreak", "/p/"]');
    expect(files).toHaveLength(names.length + 4);
    expect(files.find(line => line.startsWith('__proto__'))).toBe('__proto__ file 644 0:0 9');
    expect((await build('LABEL __proto__=x constructor=y\nENV __proto__=z')).config.config).toMatchObject({
      Labels: Object.fromEntries([
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ]),
    });
  });

  it('refuses names that other programs would take for a removal', async () => {
    writeFiles(context, { 'd/.wh.passwd': '' });
    expect(await codeOf(build('COPY . /'))).toBe('PATH_INVALID');
  });

  it('may change once it has been listed only where nothing more is copied', async () => {
    writeFiles(context, { a: '1', b: '1', c: '1' });
    const changing = (name: string) =>
      build(`COPY a /\nCOPY ${name} /`, {
        onEvent: event => {
          if (event.kind === 'step-done' && event.step.title === 'COPY a /')
            writeFileSync(join(context, 'b'), 'changed');
        },
      });
    expect(await codeOf(changing('b'))).toBe('FILE_CHANGED');
    expect((await changing('c')).files).toHaveLength(2);
  });

  it('may hold the store', async () => {
    writeFiles(context, { f: '1', '.dockerignore': 'store' });
    const warnings: string[] = [];
    const inContext = () =>
      built(join(context, 'store'), context, {
        dockerfileText: 'FROM scratch\nCOPY . /\n',
        onEvent: event => void (event.kind === 'warning' && warnings.push(event.message)),
      });
    const { descriptor } = await inContext();
    expect((await inContext()).descriptor).toEqual(descriptor);
    rmSync(join(context, '.dockerignore'));
    expect((await inContext()).files).toEqual(['f file 644 0:0 1']);
    expect(warnings).toHaveLength(1);
    const options = { buildContexts: { all: '.' }, dockerfileText: 'FROM all\n' };
    expect((await built(join(context, 'store'), context, options)).files).toEqual(['f file 644 0:0 1']);
  });

  it('cannot slow wildcards down', async () => {
    writeFiles(context, { [`${'a'.repeat(200)}b`]: '', [`${'d/'.repeat(200)}f`]: '' });
    const bomb = '*a'.repeat(60);
    const { files } = await build(
      `COPY ${bomb} /\nCOPY --exclude=${bomb}/**/${bomb} --exclude=${'**/d/'.repeat(60)}x . /y/\nCOPY ${'*/'.repeat(150)} /z/`,
    );
    expect(files.length).toBeGreaterThan(200);
  }, 5_000);
});

describe('a hostile archive', () => {
  const archived = async (...entries: Array<[name: string, header: RawHeader, content?: string]>): Promise<Built> => {
    if (!existsSync(context)) writeFiles(context, { 'image/etc': '-> /system' });
    const tar = entries.flatMap(([name, header, content = '']) => [
      rawHeader({ name, size: content.length, ...header }),
      padded(content),
    ]);
    writeFileSync(join(context, 'a.tar'), Buffer.concat([...tar, Buffer.alloc(1024)]));
    return await build('COPY image /opt\nADD a.tar /opt/');
  };

  it('cannot leave the folder that it is unpacked into', async () => {
    // What climbs stops at the folder.
    const entries: Array<[string, RawHeader]> = [
      ['l', { type: '2', link: '../..' }],
      ...['../x', 'a/../../y', '/../z', 'l/w'].map((name): [string, RawHeader] => [name, {}]),
    ];
    const { files } = await archived(...entries);
    expect(files).toEqual(
      expect.arrayContaining(['x', 'y', 'z', 'w'].map(name => expect.stringMatching(`^opt/${name} file`))),
    );
    expect(files.filter(file => !file.startsWith('opt'))).toEqual([]);
    expect(await codeOf(archived(['h', { type: '1', link: '../../system' }]))).toBe('INVALID_ARCHIVE');
    expect(await codeOf(archived(['..', {}]))).toBe('INVALID_ARCHIVE');
    expect(await codeOf(archived(['h', { type: '1', link: 'h' }]))).toBe('INVALID_ARCHIVE');
    expect(await codeOf(archived(['d', { type: '5' }], ['h', { type: '1', link: 'd' }]))).toBe('INVALID_ARCHIVE');
    // The link of the image leads out, to /system, which is elsewhere in the image.
    expect(await codeOf(archived(['etc/x', {}]))).toBe('INVALID_ARCHIVE');
  });

  it('may go in circles inside it', async () => {
    const { files } = await archived(
      ['/abs', {}, 'x'],
      ['d/', { type: '5' }],
      ['d/back', { type: '2', link: '../d' }],
      ['d/back/back/back/f', {}, 'ab'],
      ['g', { type: '1', link: 'd/back/f' }],
      ['d/../.', { type: '5' }],
    );
    expect(files).toEqual([
      'opt directory 755 0:0',
      'opt/abs file 644 0:0 1',
      'opt/d directory 644 0:0',
      'opt/d/back symlink 777 0:0 -> ../d',
      'opt/d/f file 644 0:0 2',
      'opt/etc symlink 777 0:0 -> /system',
      'opt/g = opt/d/f',
    ]);
  });
});
