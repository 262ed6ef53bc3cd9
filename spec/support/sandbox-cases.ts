/**
 * A program that holds one sandbox to what all must do, where there is nothing but Node: it writes what was wrong of each
 * case as JSON. Its argument is the name of the tier; everything happens in the folder for temporary files.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSandboxCase, sandboxCases } from './sandbox-suite.js';
import { tiersWithoutNamespaces } from './sandbox-tiers.js';

export interface CaseResult {
  readonly title: string;
  readonly problem?: string | undefined;
}

const tier = tiersWithoutNamespaces.find(({ name }) => name === process.argv[2])!;
const scratch = await mkdtemp(join(tmpdir(), 'scratch-'));
const sandbox = tier.create({ scratch, searchPath: process.env['PATH'] ?? '', uid: process.getuid!() });
const results: CaseResult[] = [];
for (const entry of sandboxCases.filter(({ needs = [] }) => !needs.some(ability => tier.lacks.has(ability)))) {
  const { title } = entry;
  try {
    await runSandboxCase(entry, { sandbox, root: 'directory' });
    results.push({ title });
  } catch (error) {
    results.push({ title, problem: (error as Error).stack ?? String(error) });
  }
}
process.stdout.write(JSON.stringify(results));
