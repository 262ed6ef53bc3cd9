import * as z from 'zod/mini';
import type { CallOptions } from '../../../stream/bytes.js';
import { credentialsError } from '../credentials.js';
import { runCredentialProgram } from '../run-credential-program.js';
import type { AwsKeys } from './aws-signature.js';
import type { Cloud } from './cloud.js';

const answerSchema = z.looseObject({
  Version: z.literal(1),
  AccessKeyId: z.string().check(z.minLength(1)),
  SecretAccessKey: z.string().check(z.minLength(1)),
  SessionToken: z.nullish(z.string()),
});

/** Keys from a program that a profile names (`credential_process`). @throws LadingError CREDENTIALS */
export async function awsKeysOfProcess(
  cloud: Cloud,
  source: string,
  command: string,
  { signal }: CallOptions,
): Promise<AwsKeys> {
  const fail = (problem: string) =>
    credentialsError(source, `its credential_process ${problem}`, 'Run the program by hand to see what is wrong.');
  const [program, ...args] = words(command);
  if (program === undefined) throw fail('is empty');
  const { status, stdout } = await runCredentialProgram([program, ...args], '', { env: cloud.env, signal }, fail);
  // What it says may be secret, also where it fails.
  if (status !== 0) throw fail(`failed with status ${status ?? 'unknown'}`);
  try {
    const { AccessKeyId, SecretAccessKey, SessionToken } = answerSchema.parse(JSON.parse(stdout.toString('utf8')));
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      ...(SessionToken ? { sessionToken: SessionToken } : {}),
    };
  } catch {
    throw fail('gave an answer that is not one');
  }
}

/** The words of a command line as AWS's own programs cut it: quotes and backslashes, and no other meaning of a shell. */
export function words(command: string): string[] {
  const found: string[] = [];
  for (const [word] of command.matchAll(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/g)) {
    found.push(
      word.replace(/\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_, escaped, double, single) =>
        escaped !== undefined ? escaped : single !== undefined ? single : double.replace(/\\(["\\$`])/g, '$1'),
      ),
    );
  }
  return found;
}
