import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeWithMounts } from '../support/remove-with-mounts.js';
import { type RunOptions, type RunResult, runProgram } from '../support/run-program.js';
import { type BaseImage, makeBaseImage } from './base-image.js';
import { type Context, type Making, making } from './context/context.js';
import { writeNodeModules } from './context/node-modules.js';
import type { BuilderPeer } from './peers/builder-peer.js';
import { startBuildkitPeer } from './peers/buildkit.js';
import { type DockerPeer, startDockerPeer } from './peers/docker.js';
import type { Engine, EngineKind } from './peers/engine.js';
import type { Programs } from './peers/programs.js';

export interface WorkbenchOptions {
  readonly quick: boolean;
  readonly runs: number;
  readonly programs: Programs;
  readonly signal: AbortSignal;
  /** Takes lines that say what is being done. */
  readonly tell: (line: string) => void;
}

/** Where the workloads work: a temporary folder, and what is made in it when the first of them needs it. */
export interface Workbench extends WorkbenchOptions {
  readonly making: Making;
  /** A path in the temporary folder. */
  path(name: string): string;
  scale<T>(full: T, quick: T): T;
  /** Runs a program that is not measured. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  remove(...paths: readonly string[]): Promise<void>;
  /** Puts a copy of a folder in the place of another. */
  restore(from: string, to: string): Promise<void>;
  /** The base image of the application, in a store and, where there is one, in a registry. */
  base(): Promise<BaseImage>;
  /** The application with its `node_modules`, and a Dockerfile that puts it on the base image. */
  app(): Promise<Context>;
  /** A Docker daemon that has the base image; to be asked for only where nothing of `dockerNeeds` is missing. */
  docker(): Promise<DockerPeer>;
  /** A BuildKit daemon that has the base image; to be asked for only where nothing of `buildkitNeeds` is missing. */
  buildkit(): Promise<BuilderPeer>;
  /** Another daemon, or a storage of podman, that has nothing; to be asked for only where nothing of its `needs` is missing. */
  engine(kind: EngineKind): Promise<Engine>;
  /** Stops and deletes everything. */
  close(): Promise<void>;
}

export async function openWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const { quick, signal, tell } = options;
  const folder = await mkdtemp(join(tmpdir(), 'lading-bench-'));
  const closers: Array<() => Promise<void>> = [() => removeWithMounts(folder)];
  const make = making(signal);
  const engines = new Map<string, Promise<Engine>>();
  const run: Workbench['run'] = async ([program, ...args], runOptions = {}) => {
    signal.throwIfAborted();
    const result = await runProgram(program!, args, { timeout: 3600, ...runOptions });
    signal.throwIfAborted();
    return result;
  };
  const bench: Workbench = {
    ...options,
    making: make,
    path: name => join(folder, name),
    scale: (full, small) => (quick ? small : full),
    run,
    remove: async (...paths) => {
      await run(['rm', '-rf', ...paths]);
    },
    restore: async (from, to) => {
      await run(['rm', '-rf', to]);
      await run(['cp', '-a', from, to]);
    },
    base: once(async () => {
      tell('making the base image');
      const base = await makeBaseImage(bench);
      if (base.registry) closers.push(() => base.registry!.stop());
      return base;
    }),
    app: once(async () => {
      const { name } = await bench.base();
      tell('making the application');
      const context = await writeNodeModules(bench.path('app'), quick ? 2_000 : 76_000, make);
      await writeFile(join(context.folder, 'Dockerfile'), appDockerfile(name));
      return context;
    }),
    docker: once(async () => {
      const { name } = await bench.base();
      tell('starting a Docker daemon');
      const peer = await startDockerPeer(name);
      closers.push(() => peer.stop());
      return peer;
    }),
    buildkit: once(async () => {
      const { name } = await bench.base();
      tell('starting a BuildKit daemon');
      const peer = await startBuildkitPeer(name, options.programs);
      closers.push(() => peer.stop());
      return peer;
    }),
    engine: async kind => {
      const known = engines.get(kind.name) ?? kind.start(bench);
      if (!engines.has(kind.name)) {
        engines.set(kind.name, known);
        const engine = await known;
        closers.push(() => engine.stop());
      }
      return await known;
    },
    close: async () => {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
  return bench;
}

/** The Dockerfile of an application on a base image. */
export function appDockerfile(base: string): string {
  return `FROM ${base}\nWORKDIR /app\nCOPY . .\nCMD ["node", "app.js"]\n`;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
