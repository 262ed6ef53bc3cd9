import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patience, runProgram } from '../support/programs.js';
import { type Lading, openLading } from './lading.js';

const testdata = fileURLToPath(new URL('../../testdata', import.meta.url));

describe('the example and its base', { timeout: patience }, () => {
  let work: string;
  let lading: Lading;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'lading-example-'));
    lading = await openLading();
  });

  afterAll(async () => {
    await lading?.remove();
    if (work) await rm(work, { recursive: true, force: true });
  });

  it('makes the bases again as they are', async () => {
    await runProgram('sh', [join(testdata, 'bases/make.sh'), join(work, 'bases')]);
    for (const base of await readdir(join(work, 'bases'))) {
      expect(await contents(join(work, 'bases', base))).toEqual(await contents(join(testdata, 'bases', base)));
    }
  });

  it('builds web-ping on the base, without any network', async () => {
    const base = `diamol/node=oci-layout://${join(testdata, 'bases/diamol-node')}`;
    await lading.build(['--tag', 'web-ping', '--build-context', base, join(testdata, 'web-ping')]);
    const archive = join(work, 'web-ping.tar');
    await lading.run(['save', '--output', archive, 'web-ping']);
    const { stdout } = await runProgram('tar', ['--list', '--file', archive]);
    expect(stdout).toContain('manifest.json');
  });

  it('runs: the program asks, and says what it was told', async () => {
    const env = { TARGET: 'http://127.0.0.1:9', METHOD: 'HEAD', INTERVAL: '20', COUNT: '2' };
    // Outside of this package, whose settings would make another kind of module of it; as it is in the image.
    await copyFile(join(testdata, 'web-ping/app.js'), join(work, 'app.js'));
    const { stdout } = await runProgram(process.execPath, [join(work, 'app.js')], { env });
    expect(stdout.split('\n')).toHaveLength(4);
    expect(stdout).toContain('ECONNREFUSED');
  });
});

async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
  const pairs = files.sort().map(async file => [file.slice(folder.length), (await readFile(file)).toString('base64')]);
  return Object.fromEntries(await Promise.all(pairs));
}
