import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkPlacesInMounts } from '../../../src/sandbox/oci/places-in-mounts.js';
import { tempDir } from '../../support/temp-dir.js';

const trusted = [
  'crun version 1.8.1',
  'runc version 1.1.14',
  'runc version 1.2.0',
  'runc version 1.3.3+ds1',
  'runc version 2.0.0',
];
const others = [
  'runc version 1.1.5+ds1',
  'runc version 1.1.13',
  'runc version 1.0.3',
  'runc version 1.2.0-rc.2',
  'unknown',
  '',
];

it.each([...trusted, ...others])('a mount in another is made by "%s", or refused', async says => {
  const runtime = join(await tempDir(), 'runtime');
  writeFileSync(runtime, `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 });
  const checked = await checkPlacesInMounts(runtime, '/a/b').catch(({ code }) => code);
  expect(checked).toBe(trusted.includes(says) ? undefined : 'RUN_UNAVAILABLE');
});
