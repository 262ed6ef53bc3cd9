/** A builder to be killed: runs a command, given as arguments with a folder of its own, and says when that has begun. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseSandbox } from '../../src/sandbox/choose-sandbox.js';

const [folder, base, command] = process.argv.slice(2) as [string, string, string];
for (const name of ['upper', 'work']) await mkdir(join(folder, name), { recursive: true });
const sandbox = await chooseSandbox({ name: 'namespaces', scratch: folder });
process.stdout.write('ready\n');
await sandbox.run({
  root: { kind: 'overlay', lower: [base], upper: join(folder, 'upper'), work: join(folder, 'work'), lasting: false },
  ...{ argv: ['/bin/sh', '-c', command], env: ['PATH=/bin'], cwd: '/', user: { uid: 1000, gid: 1000, groups: [] } },
  ...{ hostname: 'victim', network: 'none', extraHosts: [], mounts: [], limits: [] },
  ...{ security: 'sandbox', input: 'none', onOutput: () => {} },
});
