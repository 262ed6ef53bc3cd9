import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  archiveFromContainer,
  commitContainer,
  containerDiff,
  copyFromContainer,
  copyToContainer,
  createContainer,
  exportContainer,
  listContainers,
  startContainer,
} from '../../src/api/containers.js';
import { isLadingError } from '../../src/errors/errors.js';
import { chooseSandbox } from '../../src/sandbox/choose-sandbox.js';
import { openStore, type Store } from '../../src/store/store.js';
import { host } from '../support/building.js';
import { describeWith } from '../support/programs.js';
import { RunWorkspace, sandboxPrograms } from '../support/running.js';

const canary = 'of the host';
let work: RunWorkspace;
let store: Store;
let outside: string;
beforeEach(async () => {
  work = new RunWorkspace();
  outside = join(work.folder, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'canary'), canary);
});
afterEach(async () => {
  await store?.close();
  expect(readdirSync(outside)).toEqual(['canary']);
  expect(readFileSync(join(outside, 'canary'), 'utf8')).toBe(canary);
  work.remove();
});

/** A container of an image that these commands have made; its process has run. */
async function container(commands: string, args = ['true']): Promise<string> {
  const { descriptor } = await work.build(`RUN ${commands}`);
  store = await openStore(work.root);
  const { id } = await createContainer(descriptor.digest, { store, host, process: { args }, now: () => 0 });
  const sandbox = await chooseSandbox({ scratch: work.folder, path: process.env['PATH'] });
  await startContainer(id, { store, sandbox, now: () => 0 });
  return id;
}

async function codeOf(attempt: Promise<unknown>): Promise<string | undefined> {
  const error = await attempt.then(
    () => undefined,
    thrown => thrown as unknown,
  );
  if (error !== undefined && !isLadingError(error)) throw error;
  return error?.code;
}

const everything = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

describeWith([...sandboxPrograms, 'perl'], 'published escapes of what is done with containers', () => {
  it('CVE-2018-15664: cp follows links of a container inside of it alone, in and out', async () => {
    const id = await container(
      `ln -s ${outside} /out; ln -s ../../../../../../..${outside} /up; ln -s / /root-link; mkdir -p /d && ln -s ${outside}/canary /d/file`,
    );
    writeFileSync(join(work.folder, 'mine'), 'mine');
    for (const path of ['/out/canary', '/up/canary', `/root-link${outside}/canary`, '../../../..', '/d/..']) {
      const into = mkdtempSync(join(work.folder, 'copied-'));
      const code = await codeOf(copyFromContainer(id, path, into, { store, follow: true }));
      expect([
        path,
        ['PATH_NOT_FOUND', 'PATH_INVALID'].includes(code ?? '') || !readdirSync(into).includes('canary'),
      ]).toEqual([path, true]);
    }
    for (const path of ['/out/', '/out/new', '/up/new', '/d/file', '/../../../../../new']) {
      expect(String(await codeOf(copyToContainer(join(work.folder, 'mine'), id, path, { store })))).toMatch(
        /^(?:PATH_NOT_FOUND|undefined)$/,
      );
    }
    expect(existsSync('/new')).toBe(false);
  });

  it('CVE-2019-10152: what cp writes on this machine goes through no link of an earlier copy', async () => {
    const id = await container(
      `mkdir -p /one/l /two && echo evil >/one/l/canary && echo evil >/one/l/new && ln -s ${outside} /two/l`,
    );
    const into = join(work.folder, 'into');
    mkdirSync(into);
    await copyFromContainer(id, '/two/.', into, { store });
    expect(lstatSync(join(into, 'l')).isSymbolicLink()).toBe(true);
    await copyFromContainer(id, '/one/.', into, { store });
    expect(readFileSync(join(into, 'l/canary'), 'utf8')).toBe('evil\n');
    symlinkSync(join(outside, 'canary'), join(work.folder, 'link'));
    await copyFromContainer(id, '/one/l/new', join(work.folder, 'link'), { store });
    expect(lstatSync(join(work.folder, 'link')).isFile()).toBe(true);
  });

  it('CVE-2019-18466: a name with wildcards is a name, whatever it would find', async () => {
    const id = await container(`mkdir /g && ln -s ${outside} '/g/*' && echo a >/g/a`);
    const into = join(work.folder, 'into');
    mkdirSync(into);
    await copyFromContainer(id, '/g/*', into, { store });
    expect(readdirSync(into)).toEqual(['*']);
    expect(lstatSync(join(into, '*')).isSymbolicLink()).toBe(true);
  });

  it('CVE-2019-14271: nothing of a container is loaded or executed by what looks into it', async () => {
    const evil = `printf '#!/bin/sh\\ntouch ${work.folder}/executed\\n' >/evil; chmod 755 /evil`;
    const names = ['tar', 'cp', 'ps', 'sh', 'getfattr', 'cat', 'ls', 'nsenter', 'touch', 'perl', 'git'];
    const folders = ['/usr/bin', '/usr/local/bin', '/usr/sbin'];
    const copies = folders.flatMap(folder => names.map(name => `/bin/cp /evil ${folder}/${name}`));
    const id = await container(
      `${evil}; mkdir -p /usr/bin /usr/local/bin /usr/sbin /lib/x86_64-linux-gnu /etc; ${copies.join('; ')}; echo /evil >/etc/ld.so.preload; /bin/cp /evil /lib/x86_64-linux-gnu/libnss_files.so.2`,
    );
    writeFileSync(join(work.folder, 'mine'), 'mine');
    const into = join(work.folder, 'into');
    mkdirSync(into);
    const nobody = { ...process.env };
    await copyFromContainer(id, '/etc', into, { store });
    await copyToContainer(join(work.folder, 'mine'), id, '/usr/bin/mine', { store });
    await archiveFromContainer(id, '/usr', everything(), { store });
    await exportContainer(id, everything(), { store });
    await containerDiff(id, { store });
    await commitContainer(id, { store, epoch: 0 });
    expect(process.env).toEqual(nobody);
    expect(existsSync(join(work.folder, 'executed'))).toBe(false);
  });

  it('CVE-2022-1227: who is in a container is told without a program of it', async () => {
    const id = await container(
      `printf '#!/bin/sh\\ntouch ${work.folder}/executed\\n' >/usr/bin/nsenter 2>/dev/null; chmod 755 /usr/bin/nsenter 2>/dev/null; true`,
    );
    expect((await listContainers({ store })).map(each => each.id)).toEqual([id]);
    expect(existsSync(join(work.folder, 'executed'))).toBe(false);
  });

  it('CVE-2023-0778: a file that is copied in is the one that was named, and no link in its place', async () => {
    const id = await container('true');
    const folder = join(work.folder, 'from');
    mkdirSync(folder);
    symlinkSync(join(outside, 'canary'), join(folder, 'link'));
    chmodSync(join(outside, 'canary'), 0o644);
    await copyToContainer(folder, id, '/in', { store });
    const into = join(work.folder, 'into');
    mkdirSync(into);
    await copyFromContainer(id, '/in', into, { store });
    expect(lstatSync(join(into, 'in/link')).isSymbolicLink()).toBe(true);
  });
});
