import type { Readable } from 'node:stream';
import type { RunRequest } from '../sandbox.js';
import { type Guardian, startGuardian } from './guardian.js';

/** Keys and values as `supervise.ts`, `confine.ts` and `start.ts` read them. None can hold a NUL. */
export type LaunchFields = ReadonlyArray<readonly [key: string, value: string]>;

export interface Launch {
  /** The Perl interpreter on this machine. */
  readonly perl: string;
  readonly fields: LaunchFields;
  readonly request: Pick<RunRequest, 'input' | 'onOutput' | 'onStarted' | 'signal'>;
  /** One that has been started before, for a request without input. It is used up, also when this fails. */
  readonly guardian?: Guardian | undefined;
  /** Takes the log of the tracer, where there is one. */
  readonly onLog?: ((chunk: Buffer) => void) | undefined;
  /** Takes what is told of the root that was made, by lines, when the process has ended, however that was. */
  readonly onMade?: ((line: string) => void) | undefined;
}

/** As `waitpid` says it, or why there was nothing to wait for. */
export type Ending = { readonly status: number } | { readonly failure: string };

/**
 * Starts a process under a guardian, and waits until it has ended and nothing that it started is left. The guardian ends
 * everything as well when this process is gone, however that was.
 * @throws the reason of the signal; LadingError PROGRAM_MISSING
 */
export async function launch({ perl, fields, request, guardian, onLog, onMade }: Launch): Promise<Ending> {
  if (guardian === undefined) request.signal?.throwIfAborted();
  const inherit = request.input === 'inherit';
  const { stdout, stderr, lifeline, report, log, ended } = guardian ?? startGuardian(perl, request.input);
  const giveUp = (): void => void lifeline.end();
  const output = Promise.all([handOver('stdout', stdout, request), handOver('stderr', stderr, request)]);
  // Heard of below, when the process has ended.
  output.catch(giveUp);
  const told: Buffer[] = [];
  let problem: { readonly error: unknown } | undefined;
  report.on('data', (chunk: Buffer) => {
    told.push(chunk);
    const [, pid] = /(?:^|\n)started (\d+)\n$/.exec(String(chunk)) ?? [];
    if (pid === undefined) return;
    request.onStarted!(Number(pid)).then(
      () => lifeline.write('\n'),
      error => {
        problem = { error };
        giveUp();
      },
    );
  });
  log.on('data', (chunk: Buffer) => onLog?.(chunk));
  const body = Buffer.from(
    [
      ...fields,
      ...(request.onStarted === undefined ? [] : [['wait', '1']]),
      ['inherit', inherit ? '1' : ''],
      ['log', '1'],
    ]
      .map(([key, value]) => `${key}\0${value}\0`)
      .join(''),
  );
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  request.signal?.addEventListener('abort', giveUp, { once: true });
  try {
    if (request.signal?.aborted) giveUp();
    else lifeline.write(Buffer.concat([head, body]));
    await ended;
    await output;
  } finally {
    request.signal?.removeEventListener('abort', giveUp);
    lifeline.destroy();
    for (const line of linesOf(told)) onMade?.(line);
  }
  request.signal?.throwIfAborted();
  if (problem !== undefined) throw problem.error;
  return endingOf(linesOf(told).at(-1) ?? '');
}

function linesOf(told: readonly Buffer[]): string[] {
  return Buffer.concat(told).toString().split('\n').slice(0, -1);
}

function endingOf(report: string): Ending {
  const [, word, rest] = /^(end|fail) (.*)$/.exec(report) ?? [];
  if (word === 'end') return { status: Number(rest) };
  return { failure: rest ?? 'the process that guards it was ended' };
}

/** One piece after the other, at the pace of whoever takes them. */
async function handOver(
  name: 'stdout' | 'stderr',
  stream: Readable | null,
  { onOutput }: Pick<RunRequest, 'onOutput'>,
): Promise<void> {
  for await (const chunk of stream ?? []) await onOutput(name, chunk as Buffer);
}
