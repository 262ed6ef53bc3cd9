import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isLadingError } from '../../src/errors/errors.js';
import { parseConfig } from '../../src/oci/config.js';
import { formatPlatform } from '../../src/oci/platform.js';
import { planAll } from './support.js';

const root = new URL('../../testdata/plans/', import.meta.url);

/** Each folder is a Dockerfile, the options and base image it is planned with, and the plan. */
describe('plans', () => {
  for (const name of readdirSync(root)) {
    it(name, () => {
      const folder = new URL(`${name}/`, root);
      const result = `${JSON.stringify(plan(folder), undefined, 2)}\n`;
      const golden = new URL('steps.json', folder);
      if (process.env['UPDATE_GOLDEN']) writeFileSync(golden, result);
      expect(result).toBe(readFileSync(golden, 'utf8'));
    });
  }
});

function plan(folder: URL): unknown {
  const read = (name: string): string | undefined => {
    const file = new URL(name, folder);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  };
  const config = read('base-config.json');
  try {
    const { graph, plans } = planAll(
      read('Dockerfile')!,
      JSON.parse(read('options.json') ?? '{}'),
      config === undefined ? undefined : parseConfig(Buffer.from(config)),
    );
    return [...plans].map(([index, { steps, state, stages, diagnostics }]) => {
      const { fromTitle, base, platform, dependsOn } = graph.stages[index]!;
      return {
        stage: index,
        from: fromTitle,
        base,
        platform: formatPlatform(platform),
        dependsOn,
        steps: steps.map(({ range, ...step }) => ({ line: range.start.line, ...step })),
        uses: stages,
        warnings: diagnostics.map(({ rule, message, range }) => `${rule}: ${message} (line ${range.start.line})`),
        state,
      };
    });
  } catch (error) {
    if (!isLadingError(error)) throw error;
    const { start, end } = error.place?.range ?? {};
    return { code: error.code, lines: start && [start.line, end!.line] };
  }
}
