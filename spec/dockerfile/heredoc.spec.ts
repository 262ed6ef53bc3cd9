import { describe, expect, it } from 'vitest';
import { heredocsOf, heredocText, parseHeredocWord } from '../../src/dockerfile/heredoc.js';

describe('parseHeredocWord', () => {
  const table: ReadonlyArray<readonly [word: string, name: string, rest?: object]> = [
    ['<<EOF', 'EOF', { fileDescriptor: 0, expand: true, chomp: false }],
    ['<<-EOF', 'EOF', { chomp: true }],
    ['3<<EOF', 'EOF', { fileDescriptor: 3 }],
    ['12<<-EOF', 'EOF', { fileDescriptor: 12, chomp: true }],
    ['<<"EOF"', 'EOF', { expand: false }],
    ["<<'EOF'", 'EOF', { expand: false }],
    ['<<E"O"F', 'EOF', { expand: false }],
    ['<<"E F"', 'E F', { expand: false }],
    ['<< EOF', 'EOF', { expand: true }],
    ['<<$EOF', '$EOF', { expand: true }],
    ['<<${EOF:-x}', '${EOF:-x}', { expand: true }],
    ['<<EOF>out', 'EOF>out', { expand: true }],
    ['<<--', '-', { chomp: true }],
  ];
  for (const [word, name, rest] of table) {
    it(word, () => expect(parseHeredocWord(word)).toMatchObject({ name, ...rest }));
  }

  for (const word of [
    '',
    'EOF',
    '<EOF',
    '<<',
    '<<-',
    '<<<EOF',
    'a<<EOF',
    '$((1<<2))',
    '<<a<b',
    '<<a b',
    '<<""',
    '<<"a',
    "<<'",
    '"<<EOF"',
    '<<${',
  ]) {
    it(`is not ${JSON.stringify(word)}`, () => expect(parseHeredocWord(word)).toBeUndefined());
  }
});

describe('heredocsOf', () => {
  const names = (line: string) => heredocsOf(line).map(heredoc => heredoc.name);

  it('finds them in order', () => {
    expect(names('RUN <<A cat <<-"B c" 3<< D > x')).toEqual(['A', 'B c', 'D']);
    expect(names('RUN a && b')).toEqual([]);
    expect(names('RUN "<<A" \'<<B\' \\<\\<C <<<D')).toEqual([]);
    expect(names('RUN echo 1<<2')).toEqual(['2']);
    expect(names("RUN it's <<EOF")).toEqual([]);
  });
});

describe('heredocText', () => {
  const heredoc = { name: 'A', fileDescriptor: 0, expand: true, content: '\t\ta\n\tb\tc\n  \td\n\t\n' };

  it('takes leading tabs off for <<-', () => {
    expect(heredocText({ ...heredoc, chomp: true })).toBe('a\nb\tc\n  \td\n\n');
    expect(heredocText({ ...heredoc, chomp: false })).toBe(heredoc.content);
    expect(heredocText({ ...heredoc, chomp: true, content: '\ta\r\tb\u2028\tc\r\n\td' })).toBe('a\r\tb\u2028\tc\r\nd');
  });
});
