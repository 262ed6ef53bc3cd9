import type { BuildImageEvent, Diagnostic, Platform, StepInfo } from '../../src/index.js';
import { formatDuration } from './age.js';
import { OutputLines } from './output-lines.js';
import type { Palette } from './palette.js';
import { printable, printableLine } from './printable.js';
import type { ProgressView } from './progress-view.js';
import { formatSize } from './size.js';
import { shortDigest, transferProgress } from './transfer-progress.js';

export interface BuildProgressOptions {
  readonly view: ProgressView;
  readonly palette: Palette;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Shows a build step by step:
 *
 *     #1 [build 1/3] COPY . /src
 *     #1 DONE 12.3MB 0.4s
 *     #2 [build 2/3] RUN make
 *     #2 0.104 cc -o app app.c
 *     #2 DONE 16.0kB 1.2s
 *
 * Steps run at the same time: the number at the beginning of a line says which one it is of. A build for several platforms
 * names those that a step is for: `[linux/arm64 build 1/3]`, or `[linux/amd64,linux/arm64 build 1/3]` where it is one step.
 */
export function buildProgress({ view, palette, now }: BuildProgressOptions): (event: BuildImageEvent) => void {
  const started = new Map<number, number>();
  const outputs = new Map<string, OutputLines>();
  const elapsed = (step: StepInfo): string => formatDuration(now() - (started.get(step.id) ?? now()));
  /** As with Docker, a line of a program comes with the seconds since its step has begun. */
  const outputLine = (step: StepInfo, line: string): void => {
    const seconds = (now() - (started.get(step.id) ?? now())) / 1000;
    const text = printable(line);
    view.line(`#${step.id} ${seconds.toFixed(3)} ${text}`);
    view.status(stepKey(step), `#${step.id} ${seconds.toFixed(1)}s ${text.trim()}`);
  };
  const end = (step: StepInfo): void => {
    for (const stream of ['stdout', 'stderr']) {
      const key = outputKey(step, stream);
      for (const line of outputs.get(key)?.end() ?? []) outputLine(step, line);
      outputs.delete(key);
    }
    view.status(stepKey(step), undefined);
  };
  return event => {
    switch (event.kind) {
      case 'diagnostic':
        view.line(diagnosticText(event.diagnostic, palette));
        return;
      case 'warning':
        view.line(`${palette.warning('warning:')} ${printableLine(event.message)}`);
        return;
      case 'step-started':
        started.set(event.step.id, now());
        view.line(stepTitle(event.step));
        return;
      case 'step-progress':
        view.status(stepKey(event.step), `#${event.step.id} ${formatSize(event.bytes)} ${elapsed(event.step)}`);
        return;
      case 'step-fetch': {
        const { step, url, bytes, total } = event;
        const size = total === undefined ? formatSize(bytes) : `${formatSize(bytes)} of ${formatSize(total)}`;
        view.status(stepKey(step), `#${step.id} ${printableLine(url)} ${size} ${elapsed(step)}`);
        return;
      }
      case 'step-failed':
        end(event.step);
        view.line(`#${event.step.id} ${event.cancelled ? 'CANCELED' : palette.error('ERROR')}`);
        return;
      case 'step-done': {
        const { step, cached, layer } = event;
        end(step);
        // A step that only changes the configuration takes no time and makes nothing.
        if (step.index === undefined) return;
        const size = layer === undefined ? '' : ` ${formatSize(layer.blob.size)}`;
        view.line(`#${step.id} ${cached ? 'CACHED' : `DONE${size} ${elapsed(step)}`}`);
        return;
      }
      case 'debug-shell':
        if (event.state === 'closed') return;
        view.line(`${palette.error('failed:')} ${printableLine(event.reason)}`);
        view.line('a shell among the files that it began with; what is done here is forgotten');
        // From here on the terminal is the shell's.
        view.end();
        return;
      case 'output': {
        const key = outputKey(event.step, event.stream);
        const lines = outputs.get(key) ?? new OutputLines();
        outputs.set(key, lines);
        for (const line of lines.add(event.chunk)) outputLine(event.step, line);
        return;
      }
      case 'context-progress': {
        const { bytes, total } = event;
        view.status('context', `context ${formatSize(bytes)}${total === undefined ? '' : ` of ${formatSize(total)}`}`);
        return;
      }
      case 'context-done':
        view.status('context', undefined);
        return;
      case 'transfer':
        transferProgress(view, `${printableLine(event.reference)} `)(event.event);
        return;
      case 'push':
        transferProgress(view, `push ${printableLine(event.name)} `)(event.event);
        return;
      case 'output-done': {
        const { type, dest } = event.output;
        if (dest !== undefined && dest !== '-') view.line(`wrote ${type} to ${printableLine(dest)}`);
        return;
      }
      case 'image-done':
        view.line(`image ${shortDigest(event.descriptor.digest)} for ${printableLine(platformText(event.platform))}`);
        return;
    }
  };
}

function stepKey(step: StepInfo): string {
  return `step ${step.id}`;
}

function outputKey(step: StepInfo, stream: string): string {
  return `${step.id} ${stream}`;
}

function stepTitle({ id, platforms, stage, index, total, title }: StepInfo): string {
  const count = index === undefined ? undefined : `${index}/${total}`;
  const place = [platforms?.map(platformText).join(','), stage, count].filter(part => part !== undefined).join(' ');
  return `#${id} ${place === '' ? '' : `[${printableLine(place)}] `}${printableLine(title)}`;
}

/** The first part is as Docker writes it: people and programs look for it. */
function diagnosticText({ rule, message, hint, range, severity }: Diagnostic, palette: Palette): string {
  const finding = printableLine(`${rule}: ${message} (line ${range.start.line})`);
  const advice = hint === undefined ? '' : ` ${palette.faint(printableLine(hint))}`;
  return `${palette.warning(`${severity}:`)} ${finding}${advice}`;
}

function platformText({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter(Boolean).join('/');
}
