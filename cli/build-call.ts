import { UsageError } from './usage-error.js';

/** What `build` is asked to do with a Dockerfile. */
export interface BuildCall {
  readonly method: 'build' | 'check' | 'outline' | 'targets';
  readonly format: 'text' | 'json';
  /** End with 0 also when the check found something. */
  readonly ignoreStatus: boolean;
}

const methods = new Map<string, BuildCall['method']>([
  ['build', 'build'],
  ['check', 'check'],
  ['lint', 'check'],
  ['outline', 'outline'],
  ['targets', 'targets'],
]);

/**
 * Reads `--call METHOD[,format=text|json][,ignorestatus[=true|false]]`, and `--check`, which is short for `--call check`.
 * @throws UsageError
 */
export function buildCall(args: {
  readonly call?: string | undefined;
  readonly check?: boolean | undefined;
}): BuildCall {
  const [written = '', ...settings] = (args.call ?? (args.check ? 'check' : 'build')).split(',');
  const method = methods.get(written.trim());
  if (method === undefined) {
    throw new UsageError(
      `--call cannot be ${JSON.stringify(written)}`,
      'Choose one of build, check, outline, targets.',
    );
  }
  if (args.check && method !== 'check') throw new UsageError(`--check and --call ${method} are two things`);
  let format: BuildCall['format'] = 'text';
  let ignoreStatus = false;
  for (const setting of settings) {
    const [key = '', value = 'true'] = setting.split('=', 2);
    if (key === 'format' && (value === 'text' || value === 'json')) format = value;
    else if (key === 'ignorestatus' && (value === 'true' || value === 'false')) ignoreStatus = value === 'true';
    else {
      throw new UsageError(
        `--call ${args.call}: ${JSON.stringify(setting)} is not supported`,
        'Write format=json, format=text or ignorestatus=true.',
      );
    }
  }
  return { method, format, ignoreStatus };
}
