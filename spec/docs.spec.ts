import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { workerCode } from '../worker-code.js';

const top = join(dirname(fileURLToPath(import.meta.url)), '..');
const documents = ['README.md', 'docs/library.md'];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-docs-'));
  writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function examples(document: string): string[] {
  const text = readFileSync(join(top, document), 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(match => match[1]!);
}

describe('the examples of the documentation', () => {
  for (const document of documents) {
    it.each(examples(document).map((code, i) => [i + 1, code] as const))(
      `${document}, example %d, runs`,
      async (i, code) => {
        const file = join(folder, `example-${i}.mjs`);
        await build({
          stdin: { contents: code.replaceAll("'/var/lib/lading'", "'.lading'"), loader: 'ts', resolveDir: top },
          alias: { 'lading/testing': join(top, 'src/testing/index.ts'), lading: join(top, 'src/index.ts') },
          plugins: [workerCode.esbuild],
          ...({ bundle: true, platform: 'node', format: 'esm', outfile: file, logLevel: 'error' } as const),
          banner: { js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);" },
        });
        const result = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' });
        expect(result.status, result.stderr).toBe(0);
        expect(result.stdout).not.toBe('');
      },
    );
  }

  it('are there', () => {
    expect(documents.flatMap(examples).length).toBeGreaterThanOrEqual(3);
  });

  it('of the commands are what the commands say themselves', () => {
    const names = readdirSync(join(top, 'testdata/help')).sort();
    const sections = names.map(name => {
      const title = name === 'lading.txt' ? 'lading' : `lading ${name.replace(/\.txt$/, '').replace(/-/, ' ')}`;
      return `## ${title}\n\n\`\`\`\n${readFileSync(join(top, 'testdata/help', name), 'utf8').trim()}\n\`\`\`\n`;
    });
    const document = `# Commands\n\nWhat \`--help\` prints.\n\n${sections.join('\n')}`;
    const file = join(top, 'docs/commands.md');
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, document);
    expect(readFileSync(file, 'utf8')).toBe(document);
  });

  it('link to files that exist', () => {
    for (const document of [
      ...documents,
      'docs/store.md',
      'docs/cache.md',
      'docs/compatibility.md',
      'docs/outputs.md',
      'CONTRIBUTING.md',
    ]) {
      const text = readFileSync(join(top, document), 'utf8');
      for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
        expect(() => readFileSync(join(top, dirname(document), target!)), `${document} -> ${target}`).not.toThrow(
          /ENOENT/,
        );
      }
    }
  });
});
