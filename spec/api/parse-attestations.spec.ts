import { describe, expect, it } from 'vitest';
import { parseAttestations } from '../../src/api/parse-attestations.js';
import { isLadingError } from '../../src/errors/errors.js';

describe('parseAttestations', () => {
  it.each<[string[], unknown]>([
    [[], undefined],
    [['type=provenance'], {}],
    [['type=provenance,disabled=true'], undefined],
    [['type=provenance,disabled=false'], {}],
    [['type=sbom,disabled=true'], undefined],
    [['TYPE=provenance,mode=min'], { mode: 'min' }],
    [['type=provenance,mode=full,version=v0.2'], { mode: 'max', version: 'v0.2' }],
    [['type=provenance,"builder-id=https://ci.example/?a=1,2"'], { builderId: 'https://ci.example/?a=1,2' }],
    [
      ['type=provenance,reproducible=true,inline-only=1,filename=p.json'],
      { reproducible: true, inlineOnly: true, filename: 'p.json' },
    ],
    // The first of each type counts.
    [['type=provenance,mode=max', 'type=provenance,disabled=true'], { mode: 'max' }],
    [['type=sbom,disabled=1', 'type=provenance,disabled=true', 'type=provenance'], undefined],
  ])('%j', (texts, options) => {
    expect(parseAttestations(texts)).toEqual(options);
  });

  it.each<[string, string]>([
    ['', 'USAGE'],
    ['provenance', 'USAGE'],
    ['mode=max', 'USAGE'],
    ['type=vex', 'USAGE'],
    ['type=provenance,mode', 'USAGE'],
    ['type=provenance,mode=most', 'USAGE'],
    ['type=provenance,version=v2', 'USAGE'],
    ['type=provenance,reproducible=perhaps', 'USAGE'],
    ['type=provenance,disabled=perhaps', 'USAGE'],
    ['type=provenance,filename=a/b', 'USAGE'],
    ['type=provenance,filename=..', 'USAGE'],
    ['type=provenance,capture-usage=true', 'USAGE'],
    ['type=provenance,__proto__=a', 'USAGE'],
    ['type=provenance,"mode=max', 'USAGE'],
    ['type=sbom', 'UNSUPPORTED'],
    ['type=sbom,generator=image', 'UNSUPPORTED'],
  ])('refuses %j', (text, code) => {
    let caught: unknown;
    try {
      parseAttestations([text]);
    } catch (error) {
      caught = error;
    }
    expect(isLadingError(caught) && caught.code).toBe(code);
    expect((caught as { hint?: string }).hint).toBeDefined();
  });
});
