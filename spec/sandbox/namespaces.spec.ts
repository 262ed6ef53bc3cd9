import { beforeAll, describe, it } from 'vitest';
import { chooseSandbox } from '../../src/sandbox/choose-sandbox.js';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { describeWith } from '../support/programs.js';
import { runSandboxCase, sandboxCases } from '../support/sandbox-suite.js';
import { tempDir } from '../support/temp-dir.js';

describeWith(['root', 'busybox', 'perl'], 'the sandbox of namespaces, as root', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await chooseSandbox({ name: 'namespaces', scratch: await tempDir() });
  });
  for (const root of ['overlay', 'directory'] as const) {
    describe(`in a root of the kind ${root}`, () => {
      for (const entry of sandboxCases) {
        it(entry.title, async () => {
          await runSandboxCase(entry, { sandbox, root });
        });
      }
    });
  }
});
