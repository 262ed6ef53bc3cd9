import { readFile, writeFile } from 'node:fs/promises';
import { barsSvg } from './bars-svg.js';
import { type BenchReport, sectionsOf } from './bench-report.js';
import { curveSvg } from './curve-svg.js';
import { replacePart } from './docs-text.js';
import { comparisonText, compressionText, curveText, headerText } from './markdown.js';

const page = 'docs/benchmarks.md';

/** Rewrites those parts of the page, and those pictures, for which there are new figures; the others stay as they are. */
export async function writeDocs(report: BenchReport): Promise<void> {
  const header = headerText(report);
  let text = await readFile(page, 'utf8');
  const comparisons = sectionsOf(report, 'comparison');
  if (comparisons.length > 0) {
    await writeFile('docs/benchmarks.svg', barsSvg(comparisons));
    text = replacePart(
      text,
      'comparison',
      `${header}\n![Time of each command](benchmarks.svg)\n\n${comparisonText(report)}`,
    );
  }
  const curves = sectionsOf(report, 'curve');
  if (curves.length > 0) {
    await writeFile('docs/benchmarks-curve.svg', curveSvg(curves));
    text = replacePart(text, 'curve', `${header}\n![Cost by amount](benchmarks-curve.svg)\n\n${curveText(curves)}`);
  }
  const compression = sectionsOf(report, 'compression');
  if (compression.length > 0)
    text = replacePart(text, 'compression', `${header}\n${compression.map(compressionText).join('\n')}`);
  await writeFile(page, text);
}
