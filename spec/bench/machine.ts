import { readFile } from 'node:fs/promises';
import { arch, cpus, loadavg, release, totalmem, type } from 'node:os';
import type { Programs } from './peers/programs.js';

/** Where and with what a benchmark ran. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  /** Processes that wanted to run in the minute before the start. */
  readonly load: number;
  readonly node: string;
  readonly lading: string;
  readonly programs: Readonly<Record<string, string>>;
  /** Programs that could have been used and are not installed. */
  readonly absent: readonly string[];
}

export async function thisMachine(programs: Programs): Promise<Machine> {
  const [load] = loadavg();
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release().split('-')[0]} ${arch()}`,
    load: Math.round(load! * 10) / 10,
    node: process.version,
    lading: JSON.parse(await readFile('package.json', 'utf8')).version,
    programs: programs.versions,
    absent: programs.absent,
  };
}
