import { expect, it } from 'vitest';
import { descriptionOf } from '../../src/dockerfile/description.js';

it('is what follows the name in the first comment that starts with it', () => {
  expect(descriptionOf(['check=skip=all', 'a is first', 'a is second'], 'a')).toBe('is first');
  expect(descriptionOf(['ab is another', 'a'], 'a')).toBeUndefined();
  expect(descriptionOf([' x'], '')).toBeUndefined();
  expect(descriptionOf(['undefined x'], undefined)).toBeUndefined();
});
