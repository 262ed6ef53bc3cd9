import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/errors/nearest.js';
import { redactQueries, redactText, redactUrl } from '../../src/errors/redact.js';

const secret = 'hunter2hunter2';

describe('redaction', () => {
  it.each([
    `https://user:${secret}@example.com/v2/`,
    `https://example.com/blob?X-Amz-Signature=${secret}&digest=sha256:00`,
    `https://example.com/#${secret}`,
    `not a url ${secret}`,
  ])('shows no secret of %s', url => {
    expect(redactUrl(url)).not.toContain(secret);
  });

  it('keeps what is needed to understand a URL', () => {
    expect(redactUrl('https://ghcr.io/v2/a/blobs/uploads/?digest=sha256:00&sig=1')).toBe(
      'https://ghcr.io/v2/a/blobs/uploads/?digest=sha256%3A00&sig=REDACTED',
    );
  });

  it.each([
    `fetch https://me:${secret}@example.com failed`,
    `Authorization: Bearer ${secret}`,
    `Basic ${secret}`,
    `{"password":"${secret}"}`,
    `token=${secret}&x=1`,
    `{"identitytoken": "${secret}"}`,
  ])('takes secrets out of %s', text => expect(redactText(text)).not.toContain(secret));

  it('takes the queries of addresses out of a title', () => {
    const text = 'ADD --chown=1:2 https://h/f?a=1&b=2#c "http://x/y?z" http://plain/p /what?';
    expect(redactQueries(text)).toBe(
      'ADD --chown=1:2 https://h/f?a=REDACTED&b=REDACTED "http://x/y?z=REDACTED" http://plain/p /what?',
    );
  });

  it('is quick on long hostile text', () => {
    const text = `${'a'.repeat(200_000)}://${'b'.repeat(200_000)} bearer ${'='.repeat(200_000)}`;
    expect(redactText(text).length).toBeGreaterThan(0);
  });
});

describe('nearest', () => {
  it.each([
    ['COPPY', 'COPY'],
    ['fntrypoint', 'ENTRYPOINT'],
    ['xyz', undefined],
  ])('%s is near %s', (word, expected) => {
    expect(nearest(word, ['COPY', 'ENTRYPOINT', 'ADD', 'CMD'])).toBe(expected);
  });
});
