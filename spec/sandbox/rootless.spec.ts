import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledSuite } from '../support/bundled-suite.js';
import { type MachineUser, machineUser, machineUserPrograms } from '../support/machine-user.js';
import { describeWith, patience } from '../support/programs.js';
import { type Ability, sandboxCases } from '../support/sandbox-suite.js';
import { tempDir } from '../support/temp-dir.js';

interface CaseResult {
  readonly title: string;
  readonly owners: string;
  readonly failure?: string | undefined;
}

const kinds: ReadonlyArray<{ title: string; ranges: boolean; owners: string; lacks: readonly Ability[] }> = [
  { title: 'with ranges of ids', ranges: true, owners: 'kept', lacks: [] },
  { title: 'with one id alone', ranges: false, owners: 'recorded', lacks: ['users'] },
];
const programs = [...machineUserPrograms, 'busybox', 'perl', 'unshare', 'newuidmap', 'newgidmap'];

describeWith(programs, 'the sandbox of namespaces, without privilege', () => {
  describe.each(kinds)('$title', ({ ranges, owners, lacks }) => {
    const results = new Map<string, CaseResult>();
    let user: MachineUser;
    let stderr = '';
    beforeAll(async () => {
      const folder = await tempDir();
      user = await machineUser(folder, { ranges });
      const suite = await bundledSuite(folder);
      const ran = await user.run(process.execPath, [suite, 'contract', 'namespaces', 'overlay', ...lacks]);
      stderr = ran.stderr;
      for (const line of ran.stdout.split('\n').filter(Boolean)) {
        const result = JSON.parse(line) as CaseResult;
        results.set(result.title, result);
      }
    }, patience);
    afterAll(() => user.remove());

    for (const { title, needs } of sandboxCases) {
      if (needs?.some(ability => lacks.includes(ability))) continue;
      it(title, () => {
        expect(results.get(title), stderr).toBeDefined();
        expect(results.get(title)?.failure).toBeUndefined();
        expect(results.get(title)?.owners).toBe(owners);
      });
    }
  });
});
