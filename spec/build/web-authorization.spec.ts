import { describe, expect, it } from 'vitest';
import { webAuthorization } from '../../src/build/web-authorization.js';
import { isLadingError } from '../../src/errors/errors.js';

async function authorization(address: string, secrets: Readonly<Record<string, string | Buffer>>) {
  const given = new Map(Object.entries(secrets));
  return await webAuthorization(new URL(address), {
    read: async id => (given.has(id) ? Buffer.from(given.get(id)! as string) : undefined),
  });
}

describe('webAuthorization', () => {
  it.each([
    ['https://h.example/x', { 'HTTP_AUTH_HEADER_h.example': 'Basic abc' }, 'Basic abc'],
    ['http://h.example:81/x', { 'HTTP_AUTH_HEADER_h.example': 'Basic abc' }, 'Basic abc'],
    ['https://h.example/x', { 'HTTP_AUTH_TOKEN_h.example': 'abc' }, 'Bearer abc'],
    ['https://h.example/x', { 'HTTP_AUTH_HEADER_h.example': 'no', 'HTTP_AUTH_TOKEN_h.example': 'abc' }, 'Bearer abc'],
    ['https://h.example/x', { 'HTTP_AUTH_HEADER_h.example': 'yes', 'HTTP_AUTH_TOKEN_h.example': '' }, 'yes'],
    ['https://h.example/x', { 'HTTP_AUTH_TOKEN_h.example': 'abc\r\n' }, 'Bearer abc'],
    ['https://h.example/x', { 'HTTP_AUTH_TOKEN_h.example': '\n' }, undefined],
    ['https://h.example/x', { 'HTTP_AUTH_HEADER_h.example': 'é' }, 'Ã©'],
    ['https://[::1]:8/x', { 'HTTP_AUTH_TOKEN_::1': 'abc' }, 'Bearer abc'],
    ['https://h.example/x', { HTTP_AUTH_TOKEN_example: 'abc' }, undefined],
    ['https://sub.h.example/x', { 'HTTP_AUTH_TOKEN_h.example': 'abc' }, undefined],
    ['https://h.example:81/x', { 'HTTP_AUTH_TOKEN_h.example:81': 'abc' }, undefined],
    ['https://h.example/x', { HTTP_AUTH_TOKEN: 'abc' }, undefined],
  ])('for %s with %j is %s', async (address, secrets, expected) => {
    expect(await authorization(address, secrets)).toBe(expected);
  });

  it.each(['canary\nX: y', 'canary\0', 'canary\x7f', '\x1bcanary'])('refuses %j without repeating it', async value => {
    const error = await authorization('https://h.example', { 'HTTP_AUTH_TOKEN_h.example': value }).catch(
      caught => caught,
    );
    expect(isLadingError(error, 'INVALID_VALUE')).toBe(true);
    expect(String(error) + JSON.stringify(error)).not.toContain('canary');
  });
});
