import { runUnavailable } from '../sandbox.js';
import { tryProgram } from '../try-program.js';

/**
 * A mount in a folder that is mounted has its place made by the runtime, while others may change what lies there. Every crun
 * that lading works with goes through no link then; runc does since 1.1.14: before, it can be led to make empty files and
 * folders on the machine (CVE-2024-45310).
 * @throws LadingError `RUN_UNAVAILABLE` for a runtime that cannot be trusted with it
 */
export async function checkPlacesInMounts(runtime: string, target: string): Promise<void> {
  const asked = await tryProgram(runtime, ['--version']);
  const says = asked.works ? asked.prints : asked.says;
  if (says.startsWith('crun ') || isMended(says)) return;
  const version = says.split('\n')[0]!;
  throw runUnavailable(`${target} lies in another mount, which ${version} cannot be trusted with (CVE-2024-45310)`, {
    hint: 'Install runc 1.1.14 or newer, or crun, or leave the choice of the sandbox to lading.',
  });
}

/** Whether a runc of this version makes places without going through links. */
function isMended(says: string): boolean {
  const [, ...numbers] = /^runc version (\d+)\.(\d+)\.(\d+)/.exec(says) ?? [];
  const [major = 0, minor = 0, patch = 0] = numbers.map(Number);
  // The candidates for 1.2.0 came before.
  if (major === 1 && minor === 2 && patch === 0) return !/^runc version [\d.]+-rc/.test(says);
  return major > 1 || (major === 1 && (minor > 1 || (minor === 1 && patch >= 14)));
}
