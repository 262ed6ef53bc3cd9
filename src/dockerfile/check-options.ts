import { LadingError } from '../errors/errors.js';
import { quote, trimSpace } from './go-text.js';

/** What `# check=…` asks of the lint rules; `'all'` stands for every rule. */
export interface CheckOptions {
  readonly skip: 'all' | readonly string[];
  readonly experimental: 'all' | readonly string[];
  /** Whether a finding fails the build. */
  readonly error: boolean;
}

const truths = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const falsehoods = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

/**
 * Reads `skip=RuleA,RuleB;error=true;experimental=all`. Later parts of the same key win.
 *
 * @throws LadingError INVALID_VALUE
 */
export function parseCheckOptions(value: string): CheckOptions {
  const options: { skip: CheckOptions['skip']; experimental: CheckOptions['experimental']; error: boolean } = {
    skip: [],
    experimental: [],
    error: false,
  };
  const trimmed = trimSpace(value);
  if (trimmed === '') return options;
  for (const part of trimmed.split(';')) {
    const equals = part.indexOf('=');
    if (equals < 0) throw invalid(`invalid check option ${quote(part)}`, value);
    const key = trimSpace(part.slice(0, equals));
    const setting = trimSpace(part.slice(equals + 1));
    if (key === 'skip' || key === 'experimental') {
      options[key] = setting === 'all' ? 'all' : setting.split(',').map(trimSpace);
    } else if (key === 'error') {
      if (!truths.includes(setting) && !falsehoods.includes(setting)) {
        throw invalid(
          `failed to parse check option ${quote(part)}: ${quote(setting)} is neither true nor false`,
          value,
        );
      }
      options.error = truths.includes(setting);
    } else {
      throw invalid(`invalid check option ${quote(key)}`, value);
    }
  }
  return options;
}

function invalid(message: string, value: string): LadingError<'INVALID_VALUE'> {
  return new LadingError('INVALID_VALUE', `failed to parse check options: ${message}`, {
    details: { what: 'check options', value },
    hint: 'Write skip=RULES, error=true or experimental=RULES, with ; between them.',
  });
}
