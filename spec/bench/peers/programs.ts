import { findProgram, runProgram } from '../../support/run-program.js';

/** Programs that stand beside lading, and where they come from. */
const sources: Readonly<Record<string, string>> = {
  dockerd: 'Debian package docker.io',
  buildkitd: 'not in Debian',
  buildctl: 'not in Debian',
  runc: 'Debian package runc',
  'docker-registry': 'Debian package docker-registry',
  buildah: 'Debian package buildah',
  podman: 'Debian package podman',
  skopeo: 'Debian package skopeo',
  umoci: 'Debian package umoci',
  pigz: 'Debian package pigz',
  time: 'Debian package time',
  crane: 'not in Debian',
  regctl: 'not in Debian',
};

export interface Programs {
  readonly versions: Readonly<Record<string, string>>;
  /** What is not here of all that the bench can use. */
  readonly absent: readonly string[];
  /** The absolute path; an error when the program is not here. */
  path(name: string): string;
  /** Which of these are not here; `root` asks for the privilege of the super user. */
  missing(names: readonly string[]): readonly string[];
}

export async function findPrograms(): Promise<Programs> {
  const paths = new Map<string, string>();
  const versions: Record<string, string> = {};
  for (const name of [...Object.keys(sources), 'tar', 'gzip']) {
    const path = findProgram(name);
    const version = path && (await versionOf(path, name));
    if (!path || version === undefined) continue;
    paths.set(name, path);
    versions[name] = version;
  }
  return {
    versions,
    absent: Object.keys(sources).filter(name => !paths.has(name)),
    path: name => {
      const path = paths.get(name);
      if (path === undefined)
        throw new Error(`${name} is not installed (${sources[name] ?? 'a part of every system'})`);
      return path;
    },
    missing: names => names.filter(name => (name === 'root' ? process.getuid?.() !== 0 : !paths.has(name))),
  };
}

export function sourceOf(name: string): string {
  return sources[name] ?? '';
}

/** Undefined for a program of the same name that is another one: only GNU time has the format that is needed. */
async function versionOf(path: string, name: string): Promise<string | undefined> {
  const args = name === 'crane' || name === 'regctl' ? ['version'] : ['--version'];
  const { code, stdout, stderr } = await runProgram(path, args, { mayFail: true, timeout: 20 });
  const text = `${stdout}${stderr}`;
  if (code !== 0 || (name === 'time' && !/GNU/.test(text))) return undefined;
  return name === 'time' ? 'GNU' : (/v?\d+\.\d[\w.+~-]*/.exec(text)?.[0] ?? text.trim().split('\n')[0]);
}
