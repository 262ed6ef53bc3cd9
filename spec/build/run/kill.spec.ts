import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore } from '../../../src/store/store.js';
import { writeFiles } from '../../support/building.js';
import { bundledProgram } from '../../support/bundled-program.js';
import { corpusRoot } from '../../support/corpus.js';
import { describeWith } from '../../support/programs.js';
import { seededRandom } from '../../support/random-image.js';
import { RunWorkspace, sandboxPrograms } from '../../support/running.js';

const kills = 20;

let work: RunWorkspace;
beforeEach(() => {
  work = new RunWorkspace();
});
afterEach(() => work.remove());

/** Processes whose environment says that they are of this build. */
function processesWith(mark: string): string[] {
  return readdirSync('/proc').filter(name => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'utf8').includes(mark);
    } catch {
      return false;
    }
  });
}

async function eventually(check: () => unknown[]): Promise<void> {
  for (let tries = 0; tries < 100 && check().length > 0; tries++) await delay(50);
  expect(check()).toEqual([]);
}

function start(bin: string, mark: string, extra: readonly string[] = []): ChildProcess {
  const base = `busybox=oci-layout://${corpusRoot}/bases/busybox`;
  const secret = join(work.folder, 'secret');
  const args = ['build', '--root', work.root, '--no-cache', '--build-arg', `MARK=${mark}`, '--build-context', base];
  return spawn(process.execPath, [bin, ...args, '--secret', `id=s,src=${secret}`, ...extra, work.context], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

const dockerfile = `FROM busybox
ARG MARK
RUN --mount=type=cache,target=/c --mount=target=/ctx --mount=type=secret,id=s sh -c 'i=0; while [ $i -lt 200 ]; do echo $i > /c/$i; echo $i > /f$i; i=$((i+1)); done'; (sleep 300 &) ; sleep 0.3; rm -f /c/*
RUN rm -rf /opt/tree; mkdir /made; sleep 0.2
`;

describeWith(sandboxPrograms, 'a builder that is killed', () => {
  it(`leaves nothing behind, at ${kills} points`, async () => {
    const bin = await bundledProgram(work.folder);
    writeFiles(work.folder, { 'context/Dockerfile': dockerfile, secret: 'correct horse battery' });
    const random = seededRandom(7);
    for (let kill = 0; kill < kills; kill++) {
      const mark = `lading-killed-${process.pid}-${kill}`;
      const builder = start(bin, mark);
      const closed = new Promise(resolve => builder.once('close', resolve));
      let said = '';
      await new Promise<void>(resolve => {
        builder.stderr!.on('data', chunk => {
          said += chunk;
          if (said.includes('RUN')) resolve();
        });
        builder.once('close', () => resolve());
      });
      await delay(random() * 1200);
      builder.kill('SIGKILL');
      await closed;
      await eventually(() => processesWith(`MARK=${mark}`));
      await eventually(() =>
        readFileSync('/proc/self/mountinfo', 'utf8')
          .split('\n')
          .filter(line => line.includes(work.folder)),
      );
      const store = await openStore(work.root);
      expect((await store.check()).problems).toEqual([]);
      await store.close();
    }
    const { files } = await work.build(dockerfile, {
      buildArgs: { MARK: 'last' },
      secrets: { s: { value: 'correct horse battery' } },
    });
    expect(files.filter(line => /^f\d+ /.test(line))).toHaveLength(200);
    expect(files.filter(line => line.startsWith('c '))).toEqual([]);
    expect(work.leftovers()).toEqual([]);
    expect(readdirSync(join(work.root, 'tmp'))).toEqual([]);
  });

  it('ends its commands when it is interrupted, with 130', async () => {
    const bin = await bundledProgram(work.folder);
    writeFiles(work.folder, {
      'context/Dockerfile': 'FROM busybox\nARG MARK\nRUN echo begun; sleep 300\n',
      secret: 'x',
    });
    const mark = `lading-interrupted-${process.pid}`;
    const builder = start(bin, mark);
    const code = new Promise(resolve => builder.once('close', resolve));
    await new Promise<void>(resolve =>
      builder.stderr!.on('data', (chunk: Buffer) => {
        if (/^#\d+ [\d.]+ begun/m.test(chunk.toString())) resolve();
      }),
    );
    builder.kill('SIGINT');
    expect(await code).toBe(130);
    expect(processesWith(`MARK=${mark}`)).toEqual([]);
    expect(readdirSync(join(work.root, 'tmp'))).toEqual([]);
  });
});
