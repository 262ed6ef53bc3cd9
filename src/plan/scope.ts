/** What words of one stage expand to. ARG and ENV write into one environment, in which the later one wins. */
export interface Scope {
  /** Changed by the instructions of the stage, in order. */
  readonly env: Map<string, string>;
  /** Names that ARG has declared, with the value last given. */
  readonly args: Map<string, string | undefined>;
}

/** ARGs that say how the build is to be described; no process sees them and no word expands to them. */
const descriptive = new Set(['BUILDKIT_SBOM_SCAN_CONTEXT', 'BUILDKIT_SBOM_SCAN_STAGE']);

export function isDescriptive(name: string): boolean {
  return descriptive.has(name);
}

/**
 * The scope at the start of a stage. ENV of the base wins over ARG of the base here, also where ARG came later: only
 * ENV is part of an image.
 */
export function stageScope(env: readonly string[], args: Iterable<readonly [string, string | undefined]>): Scope {
  const scope: Scope = { env: new Map(), args: new Map() };
  for (const [name, value] of args) declareArg(scope, name, value);
  for (const [name, value] of env.map(splitEntry)) setVariable(scope.env, name, value);
  return scope;
}

/** ARG: without a value the name is declared, and keeps the value it has. */
export function declareArg(scope: Scope, name: string, value: string | undefined): void {
  scope.args.set(name, isDescriptive(name) ? value : (value ?? scope.args.get(name)));
  if (value !== undefined && !isDescriptive(name)) setVariable(scope.env, name, value);
}

/** A variable that is set again moves to the end, as in the environment that BuildKit gives to a process. */
export function setVariable(env: Map<string, string>, name: string, value: string): void {
  env.delete(name);
  env.set(name, value);
}

/** `NAME=value` for each declared ARG, with the value in force now. */
export function argsInForce(scope: Scope): string[] {
  return [...scope.args].map(([name, value]) => `${name}=${scope.env.get(name) ?? value ?? ''}`);
}

export function environmentList(env: ReadonlyMap<string, string>): string[] {
  return [...env].map(([name, value]) => `${name}=${value}`);
}

/** `Config.Env` while it grows, with the place of the first entry of each name. */
export interface EnvEntries {
  readonly list: string[];
  readonly positions: Map<string, number>;
}

export function envEntries(list: readonly string[]): EnvEntries {
  const positions = new Map<string, number>();
  for (const [position, entry] of list.entries()) {
    const [name] = splitEntry(entry);
    if (!positions.has(name)) positions.set(name, position);
  }
  return { list: [...list], positions };
}

/** ENV: the first entry of that name is replaced where it stands, a new one goes to the end. */
export function replaceEntry({ list, positions }: EnvEntries, name: string, value: string): void {
  const position = positions.get(name) ?? list.length;
  positions.set(name, position);
  list[position] = `${name}=${value}`;
}

function splitEntry(entry: string): [name: string, value: string] {
  const equals = entry.indexOf('=');
  return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
}
