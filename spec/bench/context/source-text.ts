import { randomNumbers } from './random.js';

const syllables =
  'al an ar at co con de en er es ex in is le me na ob or pa per re ri se st ta te ti to tor un ur va'.split(' ');

/**
 * `length` bytes of text that looks like JavaScript to a compressor: few words are used often and many seldom, lines
 * resemble each other, and gzip makes about a quarter of it, as of a real `node_modules`.
 */
export function sourceText(length: number, seed: number): Buffer {
  const random = randomNumbers(seed);
  const words = Array.from({ length: 2500 }, () => {
    let word = '';
    for (let i = 1 + Math.floor(random() * 3); i >= 0; i--) word += syllables[Math.floor(random() * syllables.length)];
    return word;
  });
  const word = (): string => words[Math.floor(random() ** 5 * words.length)]!;
  const capital = (): string => {
    const one = word();
    return one[0]!.toUpperCase() + one.slice(1);
  };
  const number = (): number => Math.floor(random() ** 6 * 10_000);
  const lines: ReadonlyArray<() => string> = [
    () => `const ${word()} = require('./${word()}-${word()}');\n`,
    () => `  if (${word()}.${word()}${capital()} !== undefined) return ${word()}(${word()}, ${number()});\n`,
    () => `function ${word()}${capital()}(${word()}, ${word()}) {\n  const ${word()} = ${word()}.${word()};\n`,
    () => `    this.${word()} = this.${word()}${capital()}.${word()}(${word()} => ${word()}.${word()}());\n  }\n}\n\n`,
    () => `exports.${word()}${capital()} = ${word()}${capital()};\n`,
    () => `  // ${word()} ${word()} ${word()} the ${word()} ${word()} of a ${word()} ${word()}\n`,
    () => `  "${word()}": "^${number() % 20}.${number() % 30}.${number() % 9}", "${word()}${number()}": ${number()},\n`,
    () => `  throw new ${capital()}Error(\`\${${word()}} ${word()} ${word()} ${word()}\`);\n`,
  ];
  const parts: string[] = [];
  for (let made = 0; made < length; ) {
    const line = lines[Math.floor(random() * lines.length)]!();
    parts.push(line);
    made += line.length;
  }
  return Buffer.from(parts.join(''), 'latin1').subarray(0, length);
}
