/** The candidate that a mistyped word most likely means: at most two slips away, or the only one that it begins. */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  const near = candidates
    .map(candidate => ({ candidate, slips: slips(word, candidate) }))
    .filter(({ candidate, slips }) => slips <= 2 && slips < candidate.length - 1)
    .sort((a, b) => a.slips - b.slips)[0];
  if (near !== undefined) return near.candidate;
  const begun = word.length < 2 ? [] : candidates.filter(candidate => candidate.startsWith(word));
  return begun.length === 1 ? begun[0] : undefined;
}

/** Letters left out, added, changed or swapped with their neighbour. */
function slips(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row.push(Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
