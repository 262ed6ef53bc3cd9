/**
 * Cases for a sandbox as a program of its own, for other users: arguments are which cases (`contract` of sandbox-suite.ts,
 * or `escapes`), the name of a sandbox, the kind of root, and abilities that are lacking. It prints a line of JSON for each.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseSandbox } from '../../src/sandbox/choose-sandbox.js';
import type { RootFileSystem, Sandbox } from '../../src/sandbox/sandbox.js';
import type { SandboxName } from '../../src/sandbox/sandbox-name.js';
import { startInUserNamespace } from '../../src/sandbox/user-namespace.js';
import { UserNamespaceNeeded } from '../../src/sandbox/user-namespace-needed.js';
import { escapeCases } from './escape-cases.js';
import { type Ability, runSandboxCase, sandboxCases } from './sandbox-suite.js';

const [suite, name, root, ...lacking] = process.argv.slice(2) as [
  'contract' | 'escapes',
  SandboxName,
  RootFileSystem['kind'],
  ...Ability[],
];
const scratch = await mkdtemp(join(tmpdir(), 'lading-suite-'));
try {
  const sandbox = await chooseSandbox({
    name,
    path: process.env['PATH'],
    scratch,
    mayEnter: !lacking.includes('users'),
  });
  await runAll(sandbox);
} catch (error) {
  if (!(error instanceof UserNamespaceNeeded)) throw error;
  const child = await startInUserNamespace(error.namespace, {
    program: process.execPath,
    args: process.argv.slice(1),
    env: process.env,
    cwd: '/',
    streams: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function runAll(sandbox: Sandbox): Promise<void> {
  const lacks = new Set(lacking);
  for (const entry of suite === 'escapes' ? escapeCases : sandboxCases) {
    if (entry.needs?.some(ability => lacks.has(ability))) continue;
    const failure = await runSandboxCase(entry, { sandbox, root }).then(
      () => undefined,
      error => String((error as Error).stack ?? error),
    );
    process.stdout.write(
      `${JSON.stringify({ title: entry.title, tier: sandbox.tier, owners: sandbox.owners, failure })}\n`,
    );
  }
}
