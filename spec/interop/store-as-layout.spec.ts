import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith, patience, runProgram } from '../support/programs.js';
import { writeBusyboxContext } from './busybox-image.js';
import { type Lading, openLading } from './lading.js';
import { readTree, unpack } from './unpacked-tree.js';

describeWith(['root', 'skopeo', 'umoci', 'busybox'], 'the store as other programs see it', () => {
  const name = 'registry.example/team/small:1';
  let work: string;
  let lading: Lading;
  let digest: string;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'lading-as-layout-'));
    lading = await openLading();
    await writeBusyboxContext(join(work, 'context'));
    digest = await lading.build(['--tag', name, join(work, 'context')]);
  }, patience);

  afterAll(async () => {
    await lading?.remove();
    if (work) await rm(work, { recursive: true, force: true });
  });

  it('is a layout that skopeo inspects by the full name of an image', async () => {
    const { stdout } = await runProgram('skopeo', ['inspect', `oci:${lading.root}:${name}`]);
    expect(JSON.parse(stdout)).toMatchObject({ Digest: digest, Labels: { kind: 'small' }, Os: 'linux' });
  });

  it('is a layout that skopeo copies from', async () => {
    const target = join(work, 'copy');
    await runProgram('skopeo', [
      '--insecure-policy',
      'copy',
      '--quiet',
      `oci:${lading.root}:${name}`,
      `oci:${target}:c`,
    ]);
    const { stdout } = await runProgram('skopeo', ['inspect', '--format', '{{.Digest}}', `oci:${target}:c`]);
    expect(stdout.trim()).toBe(digest);
  });

  it('is a layout that umoci lists and unpacks', async () => {
    const listed = await runProgram('umoci', ['list', '--layout', lading.root]);
    expect(listed.stdout.split('\n')).toContain(name);
    const tree = await unpack(lading.root, name, work);
    expect([...tree.facts.keys()]).toEqual(['bin', 'bin/busybox', 'data', 'data/hello.txt']);
    const context = await readTree(join(work, 'context'));
    expect(tree.facts.get('bin/busybox')).toEqual(context.facts.get('bin/busybox'));
  });

  it('is still in order after umoci has taken out what no name keeps', async () => {
    await lading.run(['tag', name, 'registry.example/team/small:2']);
    await lading.run(['rmi', 'registry.example/team/small:2']);
    await lading.run(['fsck']);
    await runProgram('umoci', ['gc', '--layout', lading.root]);
    await lading.run(['fsck']);
    await lading.run(['inspect', '--verify', name]);
    expect(await lading.build(['--tag', name, join(work, 'context')])).toBe(digest);
  });

  it('takes an image that skopeo wrote into it', async () => {
    const added = 'registry.example/team/added:1';
    const from = `oci:${lading.root}:${name}`;
    await runProgram('skopeo', ['--insecure-policy', 'copy', '--quiet', from, `oci:${lading.root}:${added}`]);
    await lading.run(['inspect', '--verify', added]);
    await lading.run(['fsck']);
  });
});
