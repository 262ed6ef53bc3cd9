import { readdir } from 'node:fs/promises';
import { beforeAll, expect, it } from 'vitest';
import { chooseSandbox } from '../../src/sandbox/choose-sandbox.js';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { describeWith } from '../support/programs.js';
import { type Ability, runSandboxCase, sandboxCases } from '../support/sandbox-suite.js';
import { tempDir } from '../support/temp-dir.js';

const lacks: readonly Ability[] = ['fine statuses'];

describeWith(['root', 'busybox', 'unshare', 'crun'], 'the sandbox of OCI runtimes, as root', () => {
  let scratch: string;
  let sandbox: Sandbox;
  beforeAll(async () => {
    scratch = await tempDir();
    sandbox = await chooseSandbox({ name: 'oci', scratch });
  });
  for (const entry of sandboxCases) {
    if (entry.needs?.some(ability => lacks.includes(ability))) continue;
    it(entry.title, async () => {
      await runSandboxCase(entry, { sandbox, root: 'directory' });
      expect(await readdir(scratch)).toEqual([]);
    });
  }
});
