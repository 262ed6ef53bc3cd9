import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../support/programs.js';
import { type Fact, readTree } from './unpacked-tree.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** The heart of the application's Dockerfile: only what every Dockerfile frontend since 1.2 reads. */
const dockerfile = `ARG BASE
FROM \${BASE} AS base

FROM base AS modules
WORKDIR /srv/app
COPY node_modules ./node_modules

FROM base
ARG RELEASE=dev
ENV NODE_ENV=production APP_HOME=/srv/app
ENV PATH=$APP_HOME/node_modules/.bin:$PATH
LABEL org.opencontainers.image.version=$RELEASE org.opencontainers.image.title="node app"
WORKDIR $APP_HOME
COPY --from=modules --chown=node:node /srv/app/node_modules ./node_modules
COPY --chown=node package.json main.mjs ./
COPY --chown=1000:1000 data/ ./data/
ADD assets.tar.gz ./assets/
COPY --chown=root:node --chmod=0750 bin/hello /usr/local/bin/
COPY etc /etc
EXPOSE 8080/tcp 8443
VOLUME /srv/state
STOPSIGNAL SIGINT
HEALTHCHECK --interval=30s --timeout=5s --retries=2 CMD ["node", "--version"]
USER node
ENTRYPOINT ["node", "main.mjs"]
CMD ["--name", "world"]
`;

const main = `import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'undici';
import yargs from 'yargs';
import { z } from 'zod';

const { name } = yargs(process.argv.slice(2)).option('name', { type: 'string', demandOption: true }).parseSync();
const numbers = z.array(z.number()).parse(JSON.parse(readFileSync('data/numbers.json', 'utf8')));
const compiled = execFileSync('esbuild', ['--loader=ts', '--minify'], { input: 'const answer: number = 6 * 7;' });
const server = createServer((_, response) => response.end('over HTTP')).listen(0, '127.0.0.1');
await new Promise(resolve => server.once('listening', resolve));
const { body } = await request('http://127.0.0.1:' + server.address().port);
const fetched = await body.text();
server.close();
console.log(JSON.stringify({
  greeting: 'hello ' + name,
  sum: numbers.reduce((a, b) => a + b),
  compiled: compiled.toString().trim(),
  fetched,
  script: execFileSync('hello').toString().trim(),
  asset: readFileSync('assets/folder/linked.txt', 'utf8').trim(),
  release: readFileSync('/etc/app-release', 'utf8').trim(),
  cwd: process.cwd(),
  user: process.getuid() + ':' + process.getgid(),
  environment: process.env.NODE_ENV,
}));
`;

/** What the application prints on one line, as JSON. */
export function expectedOutput(name: string): object {
  return {
    greeting: `hello ${name}`,
    sum: 15,
    compiled: 'const answer=42;',
    fetched: 'over HTTP',
    script: 'hello from a script',
    asset: 'from an archive',
    release: 'release 1',
    cwd: '/srv/app',
    user: '1000:1000',
    environment: 'production',
  };
}

/** Writes the build context of a Node application with real installed packages: 10 MB, links and programs in `.bin`. */
export async function writeNodeApp(context: string): Promise<void> {
  const packages = await packageClosure(['esbuild', 'undici', 'yargs', 'zod']);
  const installed = ['node_modules/.bin/esbuild', ...packages];
  await mkdir(context, { recursive: true });
  // One call, so that files with several links keep them.
  await runProgram('cp', ['-a', '--no-preserve=ownership', '--parents', ...installed, context], { cwd: repository });

  const write = async (path: string, text: string, mode = 0o644): Promise<void> => {
    await mkdir(join(context, path, '..'), { recursive: true });
    await writeFile(join(context, path), text);
    await chmod(join(context, path), mode);
  };
  await write('Dockerfile', dockerfile);
  await write('.dockerignore', '# not for the image\n**/*.md\n*.log\n!data/keep.md\nassets\n');
  await write('package.json', '{"name":"node-app","version":"1.0.0","type":"module"}\n');
  await write('main.mjs', main);
  await write('debug.log', 'ignored\n');
  await write('data/numbers.json', '[1,2,3,4,5]\n');
  await write('data/notes.md', 'ignored\n');
  await write('data/keep.md', 'not ignored\n');
  await write('data/secret', 'only its owner reads this\n', 0o600);
  await write('bin/hello', '#!/bin/sh\necho hello from a script\n', 0o644);
  await write('etc/app-release', 'release 1\n');
  await write('etc/opt/app/settings.conf', 'verbose = no\n', 0o640);
  await writeAssets(context);
}

/** The tree of the image, by the words of the Dockerfile above, from the context and the base. */
export async function expectedTree(context: string, base: ReadonlyMap<string, Fact>): Promise<Map<string, Fact>> {
  const source = (await readTree(context)).facts;
  const result = new Map(base);
  const folder: Fact = { type: 'directory', mode: '755', owner: '0:0' };
  const copy = (from: string, to: string, change: Partial<Fact>): void => {
    for (const [path, fact] of source) {
      const ignored = (path.endsWith('.md') && path !== 'data/keep.md') || /^[^/]*\.log$/.test(path);
      if (ignored || !(path === from || path.startsWith(`${from}/`))) continue;
      result.set(to + path.slice(from.length), { ...fact, ...change });
    }
  };
  const user = { owner: '1000:1000' };
  result.set('srv/app', folder);
  copy('node_modules', 'srv/app/node_modules', user);
  copy('package.json', 'srv/app/package.json', user);
  copy('main.mjs', 'srv/app/main.mjs', user);
  copy('data', 'srv/app/data', user);
  copy('bin/hello', 'usr/local/bin/hello', { owner: '0:1000', mode: '750' });
  copy('etc/app-release', 'etc/app-release', { owner: '0:0' });
  copy('etc/opt/app', 'etc/opt/app', { owner: '0:0' });
  const text = createHash('sha256').update('from an archive\n').digest('hex');
  const program = createHash('sha256')
    .update(await readFile('/bin/true'))
    .digest('hex');
  const daemon = { owner: '1:1' };
  // The folder is made for the instruction, so the archive's own entry for its root leaves it alone.
  result.set('srv/app/assets', folder);
  result.set('srv/app/assets/folder', { ...folder, ...daemon });
  result.set('srv/app/assets/folder/plain.txt', { type: 'file', mode: '644', ...daemon, content: text });
  result.set('srv/app/assets/hard.txt', { type: 'file', mode: '644', ...daemon, content: text });
  result.set('srv/app/assets/folder/linked.txt', { type: 'symlink', mode: '777', ...daemon, content: 'plain.txt' });
  result.set('srv/app/assets/program', { type: 'file', mode: '4755', ...daemon, content: program });
  return result;
}

/** A tar.gz as GNU tar writes it: folders, a hard link, a symbolic link, odd modes and owners. */
async function writeAssets(context: string): Promise<void> {
  const folder = join(context, 'assets');
  await mkdir(join(folder, 'folder'), { recursive: true });
  await writeFile(join(folder, 'folder/plain.txt'), 'from an archive\n');
  await chmod(join(folder, 'folder/plain.txt'), 0o644);
  await runProgram('ln', ['folder/plain.txt', 'hard.txt'], { cwd: folder });
  await runProgram('ln', ['-s', 'plain.txt', 'linked.txt'], { cwd: join(folder, 'folder') });
  await copyFile('/bin/true', join(folder, 'program'));
  await chmod(join(folder, 'program'), 0o4755);
  const settings = ['--create', '--gzip', '--sort=name', '--owner=daemon:1', '--group=daemon:1', '--mtime=@1500000000'];
  await runProgram('tar', [...settings, '--file', join(context, 'assets.tar.gz'), '--directory', folder, '.']);
  await rm(folder, { recursive: true });
}

/** The folders of installed packages with everything that they depend on; optional ones of other platforms are not there. */
async function packageClosure(names: readonly string[]): Promise<readonly string[]> {
  const lock = JSON.parse(await readFile(join(repository, 'package-lock.json'), 'utf8'));
  const found = new Set<string>();
  const visit = (name: string, from: string): void => {
    // A package is looked for below the one that needs it, then outwards.
    let folder = from;
    while (folder !== '' && lock.packages[`${folder}/node_modules/${name}`] === undefined) {
      folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')));
    }
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (found.has(path) || !existsSync(join(repository, path))) return;
    found.add(path);
    const { dependencies, optionalDependencies } = lock.packages[path];
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) visit(next, path);
  };
  for (const name of names) visit(name, '');
  return [...found].filter(path => path.lastIndexOf('node_modules/') === 0).sort();
}
