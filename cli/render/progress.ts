import type { BuildImageEvent, CopyEvent } from '../../src/index.js';
import type { CliContext } from '../context.js';
import type { ProgressMode } from '../global-options.js';
import { buildProgress } from './build-progress.js';
import { jsonLine } from './json.js';
import { palette } from './palette.js';
import { printableLine } from './printable.js';
import { liveView, plainView } from './progress-view.js';
import { transferProgress } from './transfer-progress.js';

/** What a command tells while it works, in the way that was asked for. */
export interface Progress {
  build(event: BuildImageEvent): void;
  transfer(event: CopyEvent): void;
  /** Something that went on without failing. */
  warning(message: string): void;
  /** Something that is good to know. */
  note(message: string): void;
}

/** Shows progress on standard error for as long as `work` runs. */
export async function withProgress<T>(
  mode: ProgressMode,
  context: CliContext,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const { stderr, env, now } = context;
  if (mode === 'quiet' || mode === 'none')
    return await work({ build: () => {}, transfer: () => {}, warning: () => {}, note: () => {} });
  if (mode === 'json' || mode === 'rawjson') return await work(jsonProgress(context));
  const colours = palette(stderr, env);
  const live = mode === 'tty' || (mode === 'auto' && stderr.isTTY === true && env['TERM'] !== 'dumb');
  const view = live ? liveView(stderr, now) : plainView(stderr);
  try {
    return await work({
      build: buildProgress({ view, palette: colours, now }),
      transfer: transferProgress(view),
      warning: message => view.line(`${colours.warning('warning:')} ${printableLine(message)}`),
      note: message => view.line(message),
    });
  } finally {
    view.end();
  }
}

/** Every event as it is, one a line. */
function jsonProgress({ stderr }: CliContext): Progress {
  return {
    build: event => void stderr.write(jsonLine(event)),
    transfer: event => void stderr.write(jsonLine({ kind: 'transfer', event })),
    warning: message => void stderr.write(jsonLine({ kind: 'warning', message })),
    note: message => void stderr.write(jsonLine({ kind: 'note', message })),
  };
}
