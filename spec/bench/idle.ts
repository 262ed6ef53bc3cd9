import { cpus } from 'node:os';
import { setTimeout } from 'node:timers/promises';

export interface IdleOptions {
  readonly signal: AbortSignal;
  /** Looks at what the processors have done since the machine was started: ms at work, and ms in all. */
  readonly look?: () => { readonly busy: number; readonly all: number };
}

const windowMs = 150;
const mostBusy = 0.07;
const mostWindows = 40;

/**
 * Waits until the machine has nothing to do: a daemon goes on for seconds behind an answer, with what it throws away, and
 * whoever is measured next would pay for it. Gives up after 6 s, for a machine may have other things to do.
 */
export async function whenIdle({ signal, look = processorTimes }: IdleOptions): Promise<void> {
  let before = look();
  for (let i = 0; i < mostWindows; i++) {
    await setTimeout(windowMs, undefined, { signal });
    const now = look();
    if (now.busy - before.busy <= mostBusy * (now.all - before.all)) return;
    before = now;
  }
}

function processorTimes(): { readonly busy: number; readonly all: number } {
  const sums = { busy: 0, all: 0 };
  for (const { times } of cpus()) {
    const { idle, user, nice, sys, irq } = times;
    sums.busy += user + nice + sys + irq;
    sums.all += user + nice + sys + irq + idle;
  }
  return sums;
}
