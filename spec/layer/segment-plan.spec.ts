import { describe, expect, it } from 'vitest';
import type { LayerEntry } from '../../src/layer/entry.js';
import { planSegments, type SegmentPlan, segmentCapacity } from '../../src/layer/segment-plan.js';
import { fileEntry, folderEntry } from './layer-files.js';

const zeros = Buffer.alloc(16 * 1024 * 1024);
const sized = (path: string, size: number): LayerEntry => fileEntry(path, zeros.subarray(0, size));
const plansOf = (entries: readonly LayerEntry[]): SegmentPlan[] => [...planSegments(entries)];
/** What a segment holds, to be compared with others. */
const key = (plan: SegmentPlan): string =>
  plan.parts.map(part => `${part.entry.path}:${part.content?.start ?? 0}+${part.content?.length ?? 0}`).join(' ');

function project(count: number): LayerEntry[] {
  return Array.from({ length: count }, (_, i) => sized(`node_modules/p${i % 97}/lib/${i}.js`, (i * 7919) % 20_000));
}

describe('planSegments', () => {
  it('covers the tar without gaps', () => {
    const entries = [folderEntry('d'), ...project(2000), sized('big', 5_000_001), ...project(10)];
    const plans = plansOf(entries);
    let offset = 0;
    for (const [i, plan] of plans.entries()) {
      expect(plan.offset).toBe(offset);
      expect(plan.size).toBeLessThanOrEqual(segmentCapacity);
      expect(plan.last).toBe(i === plans.length - 1);
      let at = 0;
      for (const part of plan.parts) {
        expect(part.at).toBe(at);
        at += (part.header?.size ?? 0) + Math.ceil((part.content?.length ?? 0) / 512) * 512;
      }
      expect(plan.size).toBe(at + (plan.last ? 1024 : 0));
      offset += plan.size;
    }
  });

  it('makes segments of about a mebibyte', () => {
    const plans = plansOf(project(10_000));
    const average = plans.reduce((sum, plan) => sum + plan.size, 0) / plans.length;
    expect(average).toBeGreaterThan(700_000);
    expect(average).toBeLessThan(1_500_000);
  });

  it('gives large files segments of their own, cut at fixed places', () => {
    const plans = plansOf([sized('a', 10), sized('big', 2_500_000), sized('c', 10)]);
    expect(plans.map(key)).toEqual(['a:0+10', 'big:0+1048576', 'big:1048576+1048576', 'big:2097152+402848', 'c:0+10']);
  });

  it('moves no cuts but those near a change', () => {
    const before = project(5000);
    const after = before.flatMap((entry, i) => {
      if (i === 1000) return [sized(entry.path, 19_999)];
      if (i === 2500) return [sized('node_modules/new.js', 12_345), entry];
      return i === 4000 ? [] : [entry];
    });
    const known = new Set(plansOf(before).map(key));
    const fresh = plansOf(after).filter(plan => !known.has(key(plan)));
    expect(known.size).toBeGreaterThan(40);
    expect(fresh.length).toBeLessThanOrEqual(12);
  });

  it('is lazy', () => {
    let taken = 0;
    const entries = function* (): Generator<LayerEntry> {
      for (const entry of project(10_000)) {
        taken += 1;
        yield entry;
      }
    };
    planSegments(entries()).next();
    expect(taken).toBeLessThan(500);
  });
});
