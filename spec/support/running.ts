import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuildImageEvent, BuildImageOptions } from '../../src/api/build-image.js';
import { FileAccess } from '../../src/build/file-access.js';
import { layersOfImage } from '../../src/build/stage-files.js';
import { openImage } from '../../src/image/image.js';
import { treeOfLayers } from '../../src/layer/tree-of-layers.js';
import { openStore } from '../../src/store/store.js';
import { lookup } from '../../src/tree/lookup.js';
import { type Built, built, writeFiles } from './building.js';
import { corpusRoot } from './corpus.js';

/** What the way of running commands that root has needs of a machine. */
export const sandboxPrograms = ['root', 'perl'] as const;

export interface Ran extends Built {
  readonly events: readonly BuildImageEvent[];
  /** All that commands have written. */
  readonly output: string;
  /** Of each step that makes a layer: whether it came from the cache. */
  readonly hits: readonly boolean[];
  /** Content of a file of the image; undefined when there is none. */
  read(path: string): Promise<string | undefined>;
}

/** A folder with a context and a store, in which Dockerfiles with RUN are built on the busybox of the corpus. */
export class RunWorkspace {
  readonly folder = mkdtempSync(join(tmpdir(), 'lading-run-'));
  readonly context = writeFiles(join(this.folder, 'context'), { a: 'a', 'd/x': 'x' });
  readonly root = join(this.folder, 'store');

  /** `lines` are put behind `FROM busybox` unless they begin with FROM. */
  async build(lines: string, options: Partial<BuildImageOptions> = {}): Promise<Ran> {
    const events: BuildImageEvent[] = [];
    const image = await this.#attempt(lines, { ...options, onEvent: event => events.push(event) });
    const read = async (path: string): Promise<string | undefined> => {
      const store = await openStore(this.root);
      try {
        const { layers } = { layers: layersOfImage(await openImage(store, image.images[0]!.descriptor)) };
        const node = lookup(await treeOfLayers(layers, store), path)?.node;
        if (node?.type !== 'file') return undefined;
        return (await new FileAccess(store).read(node, 1e6, path)).toString('utf8');
      } finally {
        await store.close();
      }
    };
    return { ...image, events, output: outputOf(events), hits: hitsOf(events), read };
  }

  /** The failure of a build, with the events before it. */
  async failure(
    lines: string,
    options: Partial<BuildImageOptions> = {},
  ): Promise<{ readonly error: unknown; readonly events: readonly BuildImageEvent[] }> {
    const events: BuildImageEvent[] = [];
    try {
      await this.#attempt(lines, { ...options, onEvent: event => events.push(event) });
    } catch (error) {
      return { error, events };
    }
    throw new Error('the build did not fail');
  }

  /** What files of the store hold a text, apart from compressed ones. */
  holding(text: string): string[] {
    const found: string[] = [];
    const visit = (folder: string): void => {
      for (const name of readdirSync(folder)) {
        const path = join(folder, name);
        const stat = lstatSync(path);
        if (stat.isDirectory()) visit(path);
        else if (stat.isFile() && readFileSync(path).includes(text)) found.push(path);
      }
    };
    visit(this.root);
    return found;
  }

  /** What a build has left outside of its store and context: mounts, secrets in memory. */
  leftovers(): string[] {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter(line => line.includes(this.folder));
    const secrets = readdirSync('/dev/shm').filter(name => new RegExp(`^lading\\.\\d+\\.${process.pid}\\.`).test(name));
    return [...mounts, ...secrets];
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #attempt(lines: string, options: Partial<BuildImageOptions>): Promise<Built> {
    const dockerfileText = /^(?:FROM|#)/.test(lines) ? `${lines}\n` : `FROM busybox\n${lines}\n`;
    return await built(this.root, this.context, {
      dockerfileText,
      env: { PATH: process.env['PATH'] },
      ...options,
      buildContexts: { busybox: `oci-layout://${corpusRoot}/bases/busybox`, ...options.buildContexts },
    });
  }
}

function outputOf(events: readonly BuildImageEvent[]): string {
  return Buffer.concat(events.flatMap(event => (event.kind === 'output' ? [event.chunk] : []))).toString('utf8');
}

function hitsOf(events: readonly BuildImageEvent[]): boolean[] {
  return events.flatMap(event => (event.kind === 'step-done' && event.layer !== undefined ? [event.cached] : []));
}
