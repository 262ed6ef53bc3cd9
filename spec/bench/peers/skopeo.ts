import type { Workbench } from '../workbench.js';

/** `skopeo copy` between two places in its own notation, a registry over plain HTTP among them. */
export function skopeoCopy(bench: Workbench, from: string, to: string): string[] {
  const settings = ['--quiet', '--src-tls-verify=false', '--dest-tls-verify=false'];
  return [bench.programs.path('skopeo'), '--insecure-policy', 'copy', ...settings, from, to];
}
