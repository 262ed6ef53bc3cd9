import { describe, expect, it } from 'vitest';
import { parseSecret } from '../../src/api/parse-secret.js';
import { isLadingError } from '../../src/errors/errors.js';

const env = { TOKEN: 'canary-value', EMPTY: '', GONE: undefined };

describe('parseSecret', () => {
  it.each([
    ['id=a,src=b', ['a', { file: 'b' }]],
    ['id=a,source=b', ['a', { file: 'b' }]],
    ['ID=a,Src=b', ['a', { file: 'b' }]],
    ['src=b,id=a,type=file', ['a', { file: 'b' }]],
    ['id=a,"src=b,c"', ['a', { file: 'b,c' }]],
    ['id=a,src=x=y', ['a', { file: 'x=y' }]],
    ['id=a,env=TOKEN', ['a', { value: 'canary-value' }]],
    ['id=a,type=env,env=TOKEN', ['a', { value: 'canary-value' }]],
    ['id=a,type=env,src=TOKEN', ['a', { value: 'canary-value' }]],
    ['id=TOKEN', ['TOKEN', { value: 'canary-value' }]],
    ['id=TOKEN,type=env', ['TOKEN', { value: 'canary-value' }]],
    ['id=TOKEN,type=file', ['TOKEN', { file: 'TOKEN' }]],
    ['id=TOKEN,src=b', ['TOKEN', { file: 'b' }]],
    ['id=EMPTY', ['EMPTY', { value: '' }]],
    ['id=GONE', ['GONE', { file: 'GONE' }]],
    ['id=toString', ['toString', { file: 'toString' }]],
    ['id=a', ['a', { file: 'a' }]],
  ])('%s', (text, entry) => {
    expect(parseSecret(text, { env })).toEqual(entry);
  });

  it('says that a variable is not there, and takes it as empty', () => {
    const warnings: string[] = [];
    const options = { env, onWarning: (message: string) => void warnings.push(message) };
    expect(parseSecret('id=a,env=NOPE', options)).toEqual(['a', { value: '' }]);
    expect(warnings).toEqual([expect.stringContaining('NOPE')]);
    parseSecret('id=a,env=EMPTY', options);
    expect(warnings).toHaveLength(1);
  });

  it.each([
    '',
    'id=',
    'src=canary-value',
    'canary-value',
    'id=a,canary-value',
    'id=a,value=canary-value',
    'id=a,type=canary-value',
    'id=a,src=canary-value,env=canary-value',
    'id=a,env=canary-value,type=file',
    'id=a,"src=canary-value',
    'id=a,src="canary-value"',
  ])('refuses %j, and does not repeat it', text => {
    let caught: unknown;
    try {
      parseSecret(text, { env });
    } catch (error) {
      caught = error;
    }
    expect(isLadingError(caught, 'USAGE')).toBe(true);
    expect(String(caught) + JSON.stringify(caught) + (caught as Error).stack).not.toContain('canary-value');
    expect((caught as Error).cause).toBeUndefined();
  });
});
