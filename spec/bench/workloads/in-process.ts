import { ignoreMatcher } from '../../../src/dockerfile/ignore.js';
import { parseDockerfile } from '../../../src/dockerfile/parser.js';
import { planStages } from '../../../src/plan/graph.js';
import { planStage, scratchState } from '../../../src/plan/lower.js';
import type { Workload } from './workload.js';

const platform = { os: 'linux', architecture: 'amd64' };

/** What is quick enough to be measured within this process. */
export const inProcess: Workload = {
  name: 'in-process',
  summary: 'parsing and planning a Dockerfile, matching ignore patterns',
  run: async ({ runs }) => [
    {
      kind: 'in-process',
      name: 'in-process',
      parts: [
        { title: 'parse and plan a Dockerfile of 1,000 lines', milliseconds: timed(parseAndPlan, runs * 3) },
        { title: 'match 100,000 paths against 200 patterns', milliseconds: timed(matchPaths, runs) },
      ],
    },
  ],
};

/** Milliseconds of each run, after a warm-up. */
function timed(work: () => void, runs: number): number[] {
  const times: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const start = process.hrtime.bigint();
    work();
    if (run > 0) times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  return times;
}

const dockerfile = `FROM scratch\n${'ENV A=${A:-b} C="d e"\nCOPY --chown=1:1 src \\\n  other /dst/\nLABEL x=$A\n'.repeat(250)}`;

function parseAndPlan(): void {
  const { ast } = parseDockerfile(dockerfile);
  const options = {
    buildArgs: new Map(),
    targetPlatform: platform,
    buildPlatform: platform,
    namedContexts: new Set<string>(),
  };
  const graph = planStages(ast, options);
  const { steps } = planStage(graph, 0, { state: scratchState(platform), fromImage: false }, options);
  if (steps.length !== 750) throw new Error(`${steps.length} steps instead of 750`);
}

const patterns = Array.from(
  { length: 200 },
  (_, i) => ['*.tmp', `dir${i}/**/*.log`, `!keep${i}`, `a?c${i}`, `**/x${i}`][i % 5]!,
);
const paths = Array.from(
  { length: 100_000 },
  (_, i) => `dir${i % 250}/sub${i % 17}/file${i}.${i % 9 === 0 ? 'log' : 'js'}`,
);

function matchPaths(): void {
  const matcher = ignoreMatcher(patterns.join('\n'));
  let ignored = 0;
  for (const path of paths) if (matcher.ignores(path)) ignored += 1;
  if (ignored === 0 || ignored === paths.length) throw new Error('the patterns do not tell the paths apart');
}
