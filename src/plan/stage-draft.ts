import { expandHeredoc, expandWord, type VariableUsage, variableUsage } from '../dockerfile/expand.js';
import type { IgnoreMatcher } from '../dockerfile/ignore.js';
import type { EscapeCharacter } from '../dockerfile/lex-word.js';
import type { Finding, FindingPlace } from '../dockerfile/lint/finding.js';
import type { SourceRange } from '../errors/errors.js';
import type { ContainerConfig } from '../oci/config.js';
import type { Platform } from '../oci/platform.js';
import type { References } from './dependencies.js';
import type { GlobalScope } from './global-scope.js';
import { lintVariables } from './lint/variables.js';
import { defaultPath } from './platform-defaults.js';
import { refusal } from './refusal.js';
import { type EnvEntries, envEntries, replaceEntry, type Scope, setVariable, stageScope } from './scope.js';
import type { FileOrigin, StageState, Step } from './step.js';
import { workPath } from './work-path.js';

/** A stage while its instructions are lowered one after the other. */
export interface StageDraft {
  readonly index: number;
  /** As messages call it: its name, or `stage-1`. */
  readonly label: string;
  readonly escape: EscapeCharacter;
  readonly platform: Platform;
  readonly globals: GlobalScope;
  readonly references: References;
  /** Stages whose files are used, in order of first use. */
  readonly used: Set<number>;
  /** The instruction at hand. */
  place: FindingPlace;
  /** Variables that the instruction at hand refers to and that are not set. */
  readonly missed: Set<string>;
  readonly report: (findings: readonly Finding[]) => void;
  /** What is left out of the context, where that is known. */
  readonly contextIgnore?: IgnoreMatcher | undefined;
  readonly scope: Scope;
  /** The configuration but for what grows with every instruction, which is kept below. */
  config: Omit<ContainerConfig, 'Env' | 'Labels' | 'ExposedPorts' | 'Volumes'>;
  readonly entries: EnvEntries;
  readonly labels: Map<string, string>;
  readonly exposedPorts: Set<string>;
  readonly volumes: Set<string>;
  author: string | undefined;
  /** Where the instructions were given of which a stage has one; with a CMD in the stage ENTRYPOINT leaves it. */
  readonly given: Map<'CMD' | 'ENTRYPOINT' | 'HEALTHCHECK', SourceRange>;
  /** A WORKDIR of the file is in force, be it of this stage or of one below. */
  hasWorkdir: boolean;
}

type Body<S> = S extends Step ? Omit<S, 'title' | 'range'> : never;

/** A step without what is the same for every instruction. */
export type StepBody = Body<Step>;

/** Where a stage stands and what holds for it whatever its base is. */
export type DraftPlace = Pick<
  StageDraft,
  'index' | 'place' | 'label' | 'escape' | 'globals' | 'references' | 'report' | 'contextIgnore'
>;

/** The draft at the start of a stage: the state of its base, made complete where an image left something out. */
export function startDraft(state: StageState, place: DraftPlace): StageDraft {
  const { platform, author } = state;
  const { OnBuild: _, Env, Labels, ExposedPorts, Volumes, ...config } = state.config;
  const draft: StageDraft = {
    ...place,
    used: new Set(),
    missed: new Set(),
    platform,
    scope: stageScope(Env ?? [], state.args),
    config,
    entries: envEntries(Env ?? []),
    labels: new Map(Object.entries(Labels ?? {})),
    exposedPorts: new Set(Object.keys(ExposedPorts ?? {})),
    volumes: new Set(Object.keys(Volumes ?? {})),
    author,
    given: new Map(),
    hasWorkdir: state.hasWorkdir ?? false,
  };
  const path = defaultPath(platform);
  if (path !== undefined && !draft.entries.positions.has('PATH')) setEnv(draft, 'PATH', path);
  if (config.WorkingDir) {
    draft.config = { ...draft.config, WorkingDir: workPath(config.WorkingDir, config.WorkingDir, platform.os) };
  }
  return draft;
}

export function finishDraft(draft: StageDraft): StageState {
  const { platform, author, entries, labels, exposedPorts, volumes, scope } = draft;
  const config: ContainerConfig = {
    ...draft.config,
    ...(entries.list.length === 0 ? {} : { Env: [...entries.list] }),
    ...(labels.size === 0 ? {} : { Labels: Object.fromEntries(labels) }),
    ...(exposedPorts.size === 0 ? {} : { ExposedPorts: keySet(exposedPorts) }),
    ...(volumes.size === 0 ? {} : { Volumes: keySet(volumes) }),
  };
  return {
    platform,
    config,
    ...(author === undefined ? {} : { author }),
    args: [...scope.args],
    ...(draft.hasWorkdir ? { hasWorkdir: true } : {}),
  };
}

/** Object.fromEntries makes own properties of any name, `__proto__` too. */
function keySet(keys: ReadonlySet<string>): Record<string, Record<string, never>> {
  return Object.fromEntries([...keys].map(key => [key, {}]));
}

/** A word with its variables replaced and its quotes taken off. Throws BAD_SUBSTITUTION. */
export function expand(draft: StageDraft, word: string): string {
  return noted(draft, usage => expandWord(word, draft.scope.env, { escape: draft.escape, usage }));
}

/** The body of a here-document with its variables replaced. Throws BAD_SUBSTITUTION. */
export function expandDocument(draft: StageDraft, body: string): string {
  return noted(draft, usage => expandHeredoc(body, draft.scope.env, { usage }));
}

/** Reports what `work` found missing, also when it fails. */
function noted(draft: StageDraft, work: (usage: VariableUsage) => string): string {
  const usage = variableUsage();
  try {
    return work(usage);
  } finally {
    const names = [...usage.unset].filter(name => !draft.missed.has(name));
    for (const name of names) draft.missed.add(name);
    draft.report(lintVariables(names, draft.scope, draft.escape, draft.place));
  }
}

/** Sets a variable for the rest of the stage and in the image. */
export function setEnv(draft: StageDraft, name: string, value: string): void {
  setVariable(draft.scope.env, name, value);
  replaceEntry(draft.entries, name, value);
}

/** Notes that a stage's files are used; `message` says what is wrong when it does not stand before this one. */
export function useOrigin(draft: StageDraft, origin: FileOrigin, range: SourceRange, message: string): void {
  if (origin.kind !== 'stage') return;
  const { stage } = origin;
  draft.used.add(stage);
  if (stage < draft.index) return;
  const name = JSON.stringify(draft.references.stages[stage]!.name ?? String(stage));
  throw refusal(range, message, `Move stage ${name} in front of this one.`);
}

/** The working directory, absolute and with forward slashes. */
export function workingDirectory(draft: StageDraft): string {
  const directory = draft.config.WorkingDir || '/';
  return draft.platform.os === 'windows' ? directory.replaceAll('\\', '/') : directory;
}
