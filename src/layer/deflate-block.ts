import { distanceSymbols, literalSymbols, longestMatch } from './deflate-codes.js';

/** Sequences behind which a block ends. */
export const blockSequences = 20_000;
/** Bytes behind which a block ends: where there are no matches sequences are long. */
export const blockSpan = 256 * 1024;
/** Literals of one sequence: more need several. */
export const mostLiterals = 255;

/**
 * Some bytes as literals and matches, and how often each occurs. A sequence is some literals and a match behind them, in
 * one number: how many literals (8 bits), the length of the match or 0 (9 bits), its distance less one (15 bits).
 */
export interface DeflateBlock {
  readonly sequences: Uint32Array;
  /** How many sequences there are. */
  count: number;
  readonly literals: Uint32Array;
  /** By length. */
  readonly lengths: Uint32Array;
  /** By symbol. */
  readonly distances: Uint32Array;
}

export function deflateBlock(): DeflateBlock {
  return {
    sequences: new Uint32Array(blockSequences + Math.ceil(blockSpan / mostLiterals) + 1024),
    count: 0,
    literals: new Uint32Array(literalSymbols),
    lengths: new Uint32Array(longestMatch + 1),
    distances: new Uint32Array(distanceSymbols),
  };
}

export function clearBlock(block: DeflateBlock): void {
  block.count = 0;
  block.literals.fill(0);
  block.lengths.fill(0);
  block.distances.fill(0);
}
