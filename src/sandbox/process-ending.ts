import { constants } from 'node:os';
import type { RunResult } from './sandbox.js';

/** How a process ended, from what `waitpid` says. */
export function endingOfStatus(status: number): Pick<RunResult, 'exitCode' | 'killedBy'> {
  const signal = status & 0x7f;
  if (signal === 0) return { exitCode: (status >> 8) & 0xff };
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  return { exitCode: 128 + signal, killedBy: name ?? `signal ${signal}` };
}
