import { describe, expect, it } from 'vitest';
import { isLadingError } from '../../../src/errors/errors.js';
import { webAddress } from '../../../src/transport/http/web-address.js';

describe('webAddress', () => {
  it.each(['file:///etc/passwd', 'http://', 'ftp://a/b', 'https://u:hunter2@[::'])('refuses %s', address => {
    let caught: unknown;
    try {
      webAddress(address);
    } catch (error) {
      caught = error;
    }
    expect(isLadingError(caught, 'INVALID_VALUE'), address).toBe(true);
    expect(String(caught) + JSON.stringify(caught)).not.toContain('hunter2');
  });
});
