import type { Curve } from '../section.js';
import { digits, grouped } from './numbers.js';
import { svgPage, svgText } from './svg-page.js';
import { unitCosts } from './unit-cost.js';

const width = 900;
const panel = { height: 250, left: 70, right: 30, top: 50, plot: 150 } as const;

/** What a unit costs over the amount, which grows by factors: flat is what it should be. One panel for each curve. */
export function curveSvg(curves: readonly Curve[]): string {
  const panels = curves.flatMap((curve, i) => drawPanel(curve, i * panel.height));
  return svgPage(width, curves.length * panel.height + 10, 'Cost of a file and of a MB by amount', panels);
}

function drawPanel(curve: Curve, offset: number): string[] {
  const { title, unit, points } = curve;
  const amounts = points.map(({ amount }) => Math.log10(amount));
  const [least, most] = [Math.min(...amounts), Math.max(...amounts)];
  const names = points[0]?.measured.map(({ name }) => name) ?? [];
  const series = names.map((_, i) => unitCosts(curve, i));
  const top = Math.max(...series.flat(), 0) * 1.15 || 1;
  const x = (at: number): number =>
    rounded(panel.left + ((amounts[at]! - least) / (most - least || 1)) * (width - panel.left - panel.right));
  const bottom = offset + panel.top + panel.plot;
  const y = (value: number): number => rounded(bottom - (Math.max(value, 0) / top) * panel.plot);
  const cost = unit === 'file' ? 'µs a file' : 'ms a MB';
  const content = [svgText(0, offset + 22, `${title}: ${cost}`, 'font-size="15" font-weight="600"')];
  for (const share of [0, 0.5, 1]) {
    const line = y(share * top);
    content.push(`<line class="axis" x1="${panel.left}" x2="${width - panel.right}" y1="${line}" y2="${line}"/>`);
    content.push(svgText(panel.left - 8, line + 4, digits(share * top), 'font-size="12" text-anchor="end"'));
  }
  for (const [at, { amount }] of points.entries())
    content.push(svgText(x(at), bottom + 20, grouped(amount), 'font-size="12" text-anchor="middle"'));
  for (const [i, values] of series.entries()) {
    const kind = i === 0 ? 'ours' : 'theirs';
    const path = values.map((value, at) => `${x(at)},${y(value)}`).join(' ');
    content.push(`<polyline class="line ${kind}-line" points="${path}"/>`);
    for (const [at, value] of values.entries())
      content.push(`<circle class="${kind}" cx="${x(at)}" cy="${y(value)}" r="3.5"/>`);
    const key = panel.left + 230 + i * 170;
    content.push(`<rect class="${kind}" x="${key}" y="${offset + 12}" width="12" height="12" rx="2"/>`);
    content.push(svgText(key + 18, offset + 22, names[i]!, 'font-size="12"'));
  }
  return content;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
