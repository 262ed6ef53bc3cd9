import { describe, expect, it } from 'vitest';
import { parseSignal } from '../../src/plan/parse-signal.js';
import { failureOf } from './support.js';

describe('parseSignal', () => {
  it.each([
    'SIGTERM',
    'sigterm',
    'KILL',
    'kill',
    'IOT',
    'CLD',
    '9',
    '99',
    '+9',
    '-3',
    'RTMIN',
    'SIGRTMIN+3',
    'rtmin+15',
    'RTMAX',
    'RTMAX-14',
  ])('takes %s as it is written', text => {
    expect(parseSignal(text)).toBe(text);
  });

  it.each([
    '',
    '0',
    '00',
    '-0',
    'SIG',
    'SIGSIGTERM',
    'NOPE',
    'RTMIN+0',
    'RTMIN+16',
    'RTMAX-15',
    'RTMAX+1',
    'RTMIN-1',
    '9x',
    '0x9',
    ' TERM',
  ])('refuses %j', text => {
    expect(failureOf(() => parseSignal(text)).code).toBe('INVALID_VALUE');
  });
});
