import type { Contender } from '../measure.js';
import type { Workbench } from '../workbench.js';

/** GNU tar and pigz on two cores: a compressed archive of the folder and nothing else, no digest of anything. */
export function tarPigz(bench: Workbench, folder: string, level: number): Contender {
  const script = '"$0" -C "$2" -c . | "$1" -p2 "$3" > "$4"';
  const programs = [bench.programs.path('tar'), bench.programs.path('pigz')];
  return {
    name: tarPigzName(level),
    argv: ['bash', '-o', 'pipefail', '-c', script, ...programs, folder, `-${level}`, bench.path('pigz.tar.gz')],
  };
}

export function tarPigzName(level: number): string {
  return `tar -c | pigz -p2 -${level}`;
}
