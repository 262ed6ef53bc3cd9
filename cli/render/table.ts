import { printableLine } from './printable.js';

export interface Column {
  readonly title: string;
  /** Numbers are easier to compare when they end in the same column. */
  readonly align?: 'left' | 'right' | undefined;
}

/** Rows under titles, columns three spaces apart, no space at the end of a line. */
export function formatTable(columns: readonly Column[], rows: ReadonlyArray<readonly string[]>): string {
  const lines = [columns.map(column => column.title), ...rows.map(row => row.map(printableLine))];
  const widths = columns.map((_, place) => Math.max(...lines.map(line => line[place]!.length)));
  const pad = (cell: string, place: number): string =>
    columns[place]!.align === 'right' ? cell.padStart(widths[place]!) : cell.padEnd(widths[place]!);
  return lines.map(line => `${line.map(pad).join('   ').trimEnd()}\n`).join('');
}
