import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { homeFolder } from '../config-folder.js';

export type AwsSettings = ReadonlyMap<string, string>;

/** The files of AWS's programs that belong to a user. */
export interface AwsFiles {
  readonly credentials?: string | undefined;
  readonly config?: string | undefined;
  /** `~/.aws`. */
  readonly folder?: string | undefined;
}

export function awsFiles(env: Readonly<Record<string, string | undefined>>): AwsFiles {
  const home = homeFolder(env);
  const folder = home && path.join(home, '.aws');
  return {
    credentials: env['AWS_SHARED_CREDENTIALS_FILE'] || (folder && path.join(folder, 'credentials')),
    config: env['AWS_CONFIG_FILE'] || (folder && path.join(folder, 'config')),
    folder,
  };
}

/**
 * The settings of a profile, those of `credentials` before those of `config`. `undefined` when there is no such profile, or
 * nothing in it leads to keys.
 */
export async function readAwsProfile(name: string, files: AwsFiles): Promise<AwsSettings | undefined> {
  const own = await section(files.credentials, name);
  const more = await section(files.config, name === 'default' ? name : `profile ${name}`);
  const settings = new Map([...more, ...own]);
  const leads = /^(?:aws_access_key_id|role_arn|sso_|credential_process|credential_source|source_profile)/;
  return [...settings.keys()].some(key => leads.test(key)) ? settings : undefined;
}

/** What several profiles with single sign-on have in common. */
export function readAwsSsoSession(name: string, files: AwsFiles): Promise<AwsSettings> {
  return section(files.config, `sso-session ${name}`);
}

async function section(file: string | undefined, wanted: string): Promise<Map<string, string>> {
  const settings = new Map<string, string>();
  if (file === undefined) return settings;
  let inside = false;
  for (const line of (await readFile(file, 'utf8').catch(() => '')).split(/\r?\n/)) {
    const title = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line)?.[1];
    if (title !== undefined) inside = title.replace(/\s+/g, ' ') === wanted;
    // Lines that begin with a space belong to a nested setting.
    const setting = /^([A-Za-z0-9_]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (inside && setting !== null) settings.set(setting[1]!.toLowerCase(), setting[2]!);
  }
  return settings;
}
