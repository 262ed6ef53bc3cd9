import path from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

export function homeFolder(env: Env): string | undefined {
  return env['HOME'] || env['USERPROFILE'] || undefined;
}

/** `$XDG_CONFIG_HOME`, else `~/.config`. */
export function configFolder(env: Env): string | undefined {
  const home = homeFolder(env);
  return env['XDG_CONFIG_HOME'] || (home && path.join(home, '.config'));
}
