/**
 * What planning a Dockerfile yields: stages as lists of steps in which nothing is left to look up but bytes and owners.
 * This folder turns an AST and a base image's configuration into them. It reads no file, asks no network and no clock; it
 * does not know how a step is carried out.
 */
import type { Finding } from '../dockerfile/lint/finding.js';
import type { SourceRange } from '../errors/errors.js';
import type { ContainerConfig } from '../oci/config.js';
import type { Platform } from '../oci/platform.js';
import type { RunMount } from './run-mount.js';

interface StepBase<K extends string> {
  readonly kind: K;
  /** `created_by` of the history entry this step leaves. */
  readonly createdBy: string;
  /** The instruction as it is shown to people: `COPY . /app`. */
  readonly title: string;
  readonly range: SourceRange;
}

/** Where the sources of a COPY or the files of a mount are. */
export type FileOrigin =
  | { readonly kind: 'context' }
  /** An empty folder. */
  | { readonly kind: 'scratch' }
  | { readonly kind: 'stage'; readonly stage: number }
  /** A named context or an image reference, as written; the build decides which. */
  | { readonly kind: 'named'; readonly name: string };

/** A file whose content stands in the Dockerfile, already expanded. */
export interface InlineFile {
  readonly name: string;
  readonly content: string;
}

/** A step that changes only the configuration. */
export type ConfigStep = StepBase<'config'>;

/** WORKDIR: makes the folder and its parents, owned by the user in force, where they are missing. */
export interface WorkdirStep extends StepBase<'workdir'> {
  /** Absolute and clean. */
  readonly path: string;
  /** `user[:group]` in force; absent is root. */
  readonly owner?: string | undefined;
}

/** COPY and ADD: one layer whatever the number of sources. */
export interface CopyStep extends StepBase<'copy'> {
  readonly instruction: 'COPY' | 'ADD';
  readonly from: FileOrigin;
  /** Expanded, as written otherwise. */
  readonly sources: readonly string[];
  readonly inlineFiles: readonly InlineFile[];
  /** Absolute and clean; a trailing `/` or `/.` says that it is a folder. */
  readonly destination: string;
  /** `user[:group]` by number or name. */
  readonly chown?: string | undefined;
  readonly chmod?: string | undefined;
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly string[];
  /** ADD: archives are unpacked unless this is `false`; URLs only when it is `true`. */
  readonly unpack?: boolean | undefined;
  readonly checksum?: string | undefined;
  readonly keepGitDir?: boolean | undefined;
}

/** A program that stands in the Dockerfile, put into the root for the time of one RUN, read-only, with mode 0755. */
export interface RunScript {
  /** Absolute, below `/dev/pipes`. */
  readonly path: string;
  readonly content: string;
}

/** RUN: executed by a sandbox. */
export interface RunStep extends StepBase<'run'> {
  /** What to execute; never empty. With a shell the last argument is the text it is given. */
  readonly argv: readonly string[];
  /** A here-document that names its own interpreter; `argv` says its path. */
  readonly script?: RunScript | undefined;
  /** `NAME=value`, each name once: image and stage variables, ARG values, PATH, SSH_AUTH_SOCK with an ssh mount. */
  readonly env: readonly string[];
  /** Proxy variables in both spellings, to be added after `env`. They are no part of what a step is: caches ignore them. */
  readonly proxyEnv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  /** `user[:group]`; empty is root. */
  readonly user: string;
  /** In the order in which they are to be made: file systems by target, then secrets, then agents. */
  readonly mounts: readonly RunMount[];
  readonly network?: string | undefined;
  readonly security?: string | undefined;
}

/** Fully expanded and serialisable: nothing is left to look up but bytes and owners. */
export type Step = ConfigStep | WorkdirStep | CopyStep | RunStep;

/** What a stage starts from. */
export type StageBase =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'stage'; readonly stage: number }
  /** A named context or an image reference, expanded. */
  | { readonly kind: 'image'; readonly reference: string };

/** The state that one stage hands to a stage built on it. */
export interface StageState {
  readonly platform: Platform;
  readonly config: ContainerConfig;
  readonly author?: string | undefined;
  /** Names declared by ARG so far, in order, with the value last given; inherited by stages built on this one. */
  readonly args: ReadonlyArray<readonly [name: string, value: string | undefined]>;
  /** A WORKDIR of the file has been carried out. */
  readonly hasWorkdir?: boolean | undefined;
}

/** One stage, planned against its base: what to do, and the configuration after it. */
export interface StagePlan {
  readonly steps: readonly Step[];
  readonly state: StageState;
  /** Earlier stages whose files are copied from, in order of first use. */
  readonly stages: readonly number[];
  /** What lint rules found in the stage, whether it is to be shown or not. */
  readonly diagnostics: readonly Finding[];
}
