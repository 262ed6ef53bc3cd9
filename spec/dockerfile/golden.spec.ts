import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/dockerfile/ast.js';
import { formatAst } from '../../src/dockerfile/format-ast.js';
import { parseDockerfile } from '../../src/dockerfile/parser.js';

/** Each folder holds a Dockerfile, its tree and what is said about it. `UPDATE_GOLDEN=1` writes the last two again. */
const root = join(import.meta.dirname, '../../testdata/dockerfiles');
const update = process.env['UPDATE_GOLDEN'] === '1';

describe('Dockerfiles', () => {
  for (const name of readdirSync(root)) {
    const folder = join(root, name);
    it(name, () => {
      const text = readFileSync(join(folder, 'Dockerfile'), 'utf8');
      const { ast, diagnostics } = parseDockerfile(text);
      const results = {
        'ast.txt': `${formatAst(ast)}\n`,
        'diagnostics.txt': diagnostics.map(formatDiagnostic).join(''),
      };
      for (const [file, actual] of Object.entries(results)) {
        if (update) writeFileSync(join(folder, file), actual);
        expect(actual, file).toBe(readFileSync(join(folder, file), 'utf8'));
      }
    });
  }
});

function formatDiagnostic({ rule, severity, message, range: { start, end }, hint }: Diagnostic): string {
  const place = `${start.line}:${start.column}-${end.line}:${end.column}`;
  return `${place} ${severity} ${rule}: ${message}\n${hint === undefined ? '' : `    ${hint}\n`}`;
}
