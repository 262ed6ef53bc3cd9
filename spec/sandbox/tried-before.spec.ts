import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { chooseSandbox } from '../../src/sandbox/choose-sandbox.js';
import { type TrialMemory, trialKey } from '../../src/sandbox/tried-before.js';
import { describeWith } from '../support/programs.js';
import { runProgram } from '../support/run-program.js';
import { tempDir } from '../support/temp-dir.js';

function memory(): TrialMemory & { readonly keys: Set<string>; readonly asked: string[] } {
  const keys = new Set<string>();
  const asked: string[] = [];
  return {
    keys,
    asked,
    worked: async key => {
      asked.push(key);
      return keys.has(key);
    },
    remember: async key => void keys.add(key),
  };
}

describe('the key of a trial', () => {
  it('is another one for another question, and for other programs', async () => {
    const folder = await tempDir();
    const program = join(folder, 'program');
    await writeFile(program, 'one');
    const key = trialKey(['a'], [program]);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(trialKey(['a'], [program])).toBe(key);
    expect(trialKey(['b'], [program])).not.toBe(key);
    await utimes(program, 1, 1);
    expect(trialKey(['a'], [program])).not.toBe(key);
    expect(trialKey(['a'], [join(folder, 'none')])).toBeUndefined();
  });
});

describeWith(['root', 'perl'], 'what has worked', () => {
  it('is tried once, and what has not is tried again', async () => {
    const scratch = await tempDir();
    const known = memory();
    expect((await chooseSandbox({ name: 'namespaces', scratch, memory: known })).tier).toBe('namespaces');
    expect(known.keys.size).toBe(1);
    expect((await chooseSandbox({ name: 'namespaces', scratch, memory: known })).roots).toBe('overlay');
    expect(known.asked).toHaveLength(2);
    expect(await readdir(scratch)).toEqual([]);
    // Programs that do nothing: it does not work, and that is not kept.
    const bin = join(scratch, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'perl'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const refusing = await chooseSandbox({ name: 'namespaces', scratch, path: bin, memory: known });
    expect(refusing.tier).toBe('none');
    expect(known.keys.size).toBe(1);
  });
});

describeWith(['root', 'unshare', 'setpriv'], 'the key of a trial in a user namespace', () => {
  it('is the same in each that has the same users, and is not that of outside', async () => {
    const folder = await tempDir();
    const bundle = join(folder, 'key.mjs');
    const stdin = {
      contents: "import { trialKey } from './src/sandbox/tried-before.js'; console.log(trialKey(['a'], []));",
      resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
    };
    await build({ stdin, outfile: bundle, bundle: true, format: 'esm', platform: 'node', target: 'node20' });
    const keyIn = async (...options: readonly string[]): Promise<string> =>
      (await runProgram('unshare', [...options, process.execPath, bundle])).stdout;
    const first = await keyIn('--user', '--map-root-user');
    expect(first).toMatch(/^[0-9a-f]{64}\n$/);
    expect(await keyIn('--user', '--map-root-user')).toBe(first);
    expect(await keyIn('--user')).not.toBe(first);
    expect(await keyIn('--uts')).not.toBe(first);
  });
});
