import { describe, expect, it } from 'vitest';
import { exposedPortsLimit, parseExpose } from '../../src/plan/parse-expose.js';
import { failureOf } from './support.js';

describe('parseExpose', () => {
  it.each([
    ['80', ['80/tcp']],
    ['80/UDP', ['80/udp']],
    ['80/', ['80/tcp']],
    ['+80/sctp', ['80/sctp']],
    ['0', ['0/tcp']],
    ['080', ['80/tcp']],
    ['65535', ['65535/tcp']],
    ['8000-8002/udp', ['8000/udp', '8001/udp', '8002/udp']],
    ['7-7', ['7/tcp']],
    ['8080:80', ['80/tcp']],
    ['8080-8090:80', ['80/tcp']],
    ['1-2:3-4', ['3/tcp', '4/tcp']],
    ['127.0.0.1::80', ['80/tcp']],
    ['[2001:db8::1]:8080:80', ['80/tcp']],
    ['::1:8080:80', ['80/tcp']],
  ])('reads %s', (word, ports) => {
    expect(parseExpose([word])).toEqual(ports);
  });

  it.each([
    '',
    '/tcp',
    'abc',
    '-1',
    '80-',
    '-80',
    '90-80',
    '65536',
    '99999999999999999999',
    '80/icmp',
    '80/tcp/udp',
    'x:80',
    '8080-8081:80-82',
    'localhost:80:80',
    '[::1:80:80',
    '[fe80::1%eth0]:80:80',
    '1.2.3.4:80:',
    '1e2',
    '8_0',
  ])('refuses %j', word => {
    expect(failureOf(() => parseExpose([word]))).toMatchObject({ code: 'INVALID_VALUE', details: { what: 'port' } });
  });

  it('keeps order and repetitions', () => {
    expect(parseExpose(['80', '100-101', '80'])).toEqual(['80/tcp', '100/tcp', '101/tcp', '80/tcp']);
  });

  it('takes all ports of the three protocols, and refuses to write out more', () => {
    const all = ['0-65535/tcp', '0-65535/udp', '0-65535/sctp'];
    expect(parseExpose(all)).toHaveLength(3 * 65_536);
    const many = Array.from({ length: 10_000 }, () => '0-65535');
    expect(failureOf(() => parseExpose(many)).code).toBe('INVALID_VALUE');
    expect(exposedPortsLimit).toBeGreaterThan(3 * 65_536);
  });
});
