import { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { buildProgress } from '../../../cli/render/build-progress.js';
import { palette } from '../../../cli/render/palette.js';
import { liveView, type ProgressView } from '../../../cli/render/progress-view.js';
import { transferProgress } from '../../../cli/render/transfer-progress.js';
import { type CopyEvent, type Descriptor, parseDigest, type StepInfo } from '../../../src/index.js';

class Terminal extends Writable {
  readonly isTTY = true;
  readonly columns = 20;
  readonly writes: string[] = [];

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.writes.push(Buffer.from(chunk).toString('utf8'));
    done();
  }

  /** What is on the screen, for the sequences that the view uses. */
  get screen(): string[] {
    const lines: string[] = [];
    for (const write of this.writes) {
      const up = /^\u001b\[(\d+)A\u001b\[0J/.exec(write);
      if (up !== null) lines.splice(lines.length - Number(up[1]));
      lines.push(
        ...write
          .slice(up?.[0].length ?? 0)
          .split('\n')
          .slice(0, -1),
      );
    }
    return lines;
  }
}

function recorder(): ProgressView & { readonly lines: string[]; readonly states: Map<string, string> } {
  const lines: string[] = [];
  const states = new Map<string, string>();
  return {
    lines,
    states,
    line: text => void lines.push(text),
    status: (key, text) => void (text === undefined ? states.delete(key) : states.set(key, text)),
    end: () => {},
  };
}

describe('liveView', () => {
  it('draws the present state below the lines that stay', async () => {
    const terminal = new Terminal();
    const view = liveView(terminal, () => performance.now());
    view.status('a', 'a 10%');
    view.status('b', 'b 0%');
    view.line('started');
    await pause(150);
    expect(terminal.screen).toEqual(['started', 'a 10%', 'b 0%']);
    view.status('a', undefined);
    view.line('a done');
    await pause(150);
    expect(terminal.screen).toEqual(['started', 'a done', 'b 0%']);
    view.end();
    expect(terminal.screen).toEqual(['started', 'a done']);
  });

  it('draws at most ten times a second', () => {
    let time = 0;
    const terminal = new Terminal();
    const view = liveView(terminal, () => time);
    for (; time < 1000; time++) view.status('a', `a ${time}`);
    view.end();
    expect(terminal.writes.length).toBeLessThanOrEqual(11);
    expect(terminal.screen).toEqual([]);
  });

  it('cuts what would wrap, and counts what is too much', () => {
    const terminal = new Terminal();
    const view = liveView(terminal, () => 0);
    for (let i = 0; i < 20; i++) view.status(String(i), `${i} ${'x'.repeat(40)}`);
    view.end();
    for (const line of terminal.writes
      .join('')
      .replace(/\u001b\[\d+[AJ]/g, '')
      .split('\n')) {
      expect(line.length).toBeLessThan(20);
    }
  });
});

describe('transferProgress', () => {
  const descriptor: Descriptor = { mediaType: 'x/y', digest: parseDigest(`sha256:${'ab'.repeat(32)}`), size: 2000 };

  it('follows a blob', () => {
    const view = recorder();
    const show = transferProgress(view, 'base ');
    const events: CopyEvent[] = [
      { type: 'blob-started', descriptor },
      { type: 'blob-progress', descriptor, bytes: 1000 },
    ];
    events.forEach(show);
    expect([...view.states.values()]).toEqual(['base sha256:abababababab 1kB / 2kB']);
    show({ type: 'blob-done', descriptor });
    show({ type: 'blob-skipped', descriptor, reason: 'exists' });
    show({ type: 'blob-mounted', descriptor, from: 'other\u001b[2J' });
    show({ type: 'manifest-done', descriptor, existed: false });
    expect([...view.states]).toEqual([]);
    expect(view.lines).toEqual([
      'base sha256:abababababab 2kB done',
      'base sha256:abababababab exists',
      'base sha256:abababababab mounted from other',
      'base sha256:abababababab 2kB done',
    ]);
  });
});

describe('buildProgress', () => {
  const step: StepInfo = { id: 3, stage: 'build', index: 1, total: 2, title: 'RUN \u001b[31mmake', line: 4 };

  it('shows the output of commands line by line, whatever pieces it comes in', () => {
    let time = 0;
    const view = recorder();
    const show = buildProgress({ view, palette: palette({}, {}), now: () => time });
    show({ kind: 'step-started', step });
    for (const text of ['one\ntw', 'o\n10%\r50%\r100%\n\u001b[1mbold', '\u001b[0m end']) {
      show({ kind: 'output', step, stream: 'stdout', chunk: Buffer.from(text) });
    }
    time = 1234;
    show({ kind: 'step-progress', step, bytes: 5000 });
    expect([...view.states.values()]).toEqual(['#3 5kB 1.2s']);
    show({ kind: 'step-done', step, cached: false });
    expect(view.lines).toEqual([
      '#3 [build 1/2] RUN make',
      '#3 0.000 one',
      '#3 0.000 two',
      '#3 0.000 100%',
      '#3 1.234 bold end',
      '#3 DONE 1.2s',
    ]);
    expect([...view.states]).toEqual([]);
  });

  it('says of every line which step it is of, when several run', () => {
    const view = recorder();
    const show = buildProgress({ view, palette: palette({}, {}), now: () => 0 });
    const amd64 = { os: 'linux', architecture: 'amd64' };
    const arm = { os: 'linux', architecture: 'arm', variant: 'v7' };
    const both: StepInfo = {
      id: 1,
      platforms: [amd64, arm],
      stage: 'a',
      index: 1,
      total: 1,
      title: 'COPY . /',
      line: 2,
    };
    const one: StepInfo = { id: 2, platforms: [arm], index: 2, total: 3, title: 'RUN make', line: 4 };
    const other: StepInfo = { id: 3, platforms: [arm], title: 'ENV A=b', line: 5 };
    for (const step of [both, one, other]) show({ kind: 'step-started', step });
    show({ kind: 'output', step: one, stream: 'stdout', chunk: Buffer.from('made\nhalf') });
    show({ kind: 'step-progress', step: both, bytes: 5000 });
    show({ kind: 'step-failed', step: both, cancelled: false });
    show({ kind: 'step-failed', step: one, cancelled: true });
    expect(view.lines).toEqual([
      '#1 [linux/amd64,linux/arm/v7 a 1/1] COPY . /',
      '#2 [linux/arm/v7 2/3] RUN make',
      '#3 [linux/arm/v7] ENV A=b',
      '#2 0.000 made',
      '#1 ERROR',
      '#2 0.000 half',
      '#2 CANCELED',
    ]);
    expect([...view.states]).toEqual([]);
  });

  it('keeps characters whole that are split between chunks', () => {
    const view = recorder();
    const show = buildProgress({ view, palette: palette({}, {}), now: () => 0 });
    const bytes = Buffer.from('ä\n');
    show({ kind: 'output', step, stream: 'stdout', chunk: bytes.subarray(0, 1) });
    show({ kind: 'output', step, stream: 'stdout', chunk: bytes.subarray(1) });
    expect(view.lines).toEqual(['#3 0.000 ä']);
  });

  it('shows what a command says last while it works, and leaves the terminal to a shell', () => {
    const view = recorder();
    const show = buildProgress({ view, palette: palette({}, {}), now: () => 2500 });
    show({ kind: 'output', step, stream: 'stderr', chunk: Buffer.from('  linking\n') });
    expect([...view.states.values()]).toEqual(['#3 0.0s linking']);
    show({ kind: 'step-failed', step, cancelled: false });
    show({ kind: 'debug-shell', state: 'open', reason: 'it \u001b[1mfailed' });
    show({ kind: 'debug-shell', state: 'closed', reason: 'it failed' });
    expect(view.lines.slice(-2)).toEqual([
      'failed: it failed',
      'a shell among the files that it began with; what is done here is forgotten',
    ]);
    expect([...view.states]).toEqual([]);
  });

  it('does not keep a line that never ends', () => {
    const view = recorder();
    const show = buildProgress({ view, palette: palette({}, {}), now: () => 0 });
    for (let i = 0; i < 100; i++) {
      show({ kind: 'output', step, stream: 'stdout', chunk: Buffer.alloc(10_000, 'x') });
    }
    expect(view.lines.length).toBeGreaterThan(5);
  });
});
