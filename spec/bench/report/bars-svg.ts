import type { Comparison } from '../section.js';
import { median, pairedRatio } from '../statistics.js';
import { secondsOf } from './markdown.js';
import { digits } from './numbers.js';
import { svgPage, svgText } from './svg-page.js';

const width = 900;
const labels = 270;
const bars = 430;
const row = 20;
/** Bars that are longer than so many of lading's are cut, and say so; else lading's own could not be seen beside them. */
const longest = 10;

/** For each workload a bar of time for each command, where lading's has the length 1. */
export function barsSvg(comparisons: readonly Comparison[]): string {
  const content: string[] = [];
  let y = 24;
  content.push(
    svgText(0, y, 'Time of each command; lading takes 1. Shorter is better.', 'font-size="15" font-weight="600"'),
  );
  for (const { title, measured } of comparisons) {
    const ours = measured[0];
    if (ours === undefined) continue;
    y += 34;
    content.push(svgText(0, y, title, 'font-weight="600"'));
    for (const one of measured) {
      y += row;
      const times = pairedRatio(secondsOf(one), secondsOf(ours));
      content.push(svgText(labels - 10, y, one.name, 'text-anchor="end" font-size="12"'));
      content.push(bar(y - 12, times, one === ours ? 'ours' : 'theirs'));
      const value = `${digits(median(secondsOf(one)))} s${one === ours ? '' : `, ${digits(times)} times lading's`}`;
      content.push(svgText(labels + length(times) + 8, y, value, 'font-size="12"'));
    }
  }
  return svgPage(width, y + 20, 'Time of each command beside lading', content);
}

function length(times: number): number {
  return Math.round((Math.min(times, longest) / longest) * bars * 10) / 10;
}

/** A bar that is cut ends in a gap and a stub. */
function bar(y: number, times: number, kind: 'ours' | 'theirs'): string {
  const end = length(times);
  const rectangle = (x: number, w: number): string =>
    `<rect class="${kind}" x="${labels + x}" y="${y}" width="${Math.max(w, 1)}" height="14" rx="2"/>`;
  return times <= longest ? rectangle(0, end) : rectangle(0, end - 14) + rectangle(end - 10, 10);
}
