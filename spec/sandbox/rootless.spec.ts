import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RootFileSystem } from '../../src/sandbox/sandbox.js';
import type { SandboxName } from '../../src/sandbox/sandbox-name.js';
import { bundledSuite } from '../support/bundled-suite.js';
import { type MachineUser, machineUser, machineUserPrograms } from '../support/machine-user.js';
import { describeWith, patience } from '../support/programs.js';
import { lackedBy } from '../support/runtime-abilities.js';
import { type Ability, sandboxCases } from '../support/sandbox-suite.js';
import { tempDir } from '../support/temp-dir.js';

interface CaseResult {
  readonly title: string;
  readonly owners: string;
  readonly failure?: string | undefined;
}

interface Kind {
  readonly title: string;
  readonly sandbox: readonly [name: SandboxName, root: RootFileSystem['kind']];
  readonly ranges: boolean;
  readonly owners: string;
  readonly lacks: readonly Ability[];
}

const kinds: readonly Kind[] = [
  { title: 'with ranges of ids', sandbox: ['namespaces', 'overlay'], ranges: true, owners: 'kept', lacks: [] },
  {
    ...{ title: 'with one id alone', sandbox: ['namespaces', 'overlay'], ranges: false, owners: 'recorded' },
    lacks: ['users'],
  },
  ...(await Promise.all(
    (['crun', 'runc'] as const).map(
      async (name): Promise<Kind> => ({
        ...{ title: `with ranges of ids, by ${name}`, sandbox: [name, 'directory'], ranges: true, owners: 'kept' },
        lacks: await lackedBy(name),
      }),
    ),
  )),
];
const programs = [...machineUserPrograms, 'busybox', 'perl', 'unshare', 'newuidmap', 'newgidmap', 'crun', 'runc'];

describeWith(programs, 'sandboxes with namespaces, without privilege', () => {
  describe.each(kinds)('$title', ({ sandbox, ranges, owners, lacks }) => {
    const results = new Map<string, CaseResult>();
    let user: MachineUser;
    let stderr = '';
    beforeAll(async () => {
      const folder = await tempDir();
      user = await machineUser(folder, { ranges });
      const suite = await bundledSuite(folder);
      const ran = await user.run(process.execPath, [suite, 'contract', ...sandbox, ...lacks]);
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
