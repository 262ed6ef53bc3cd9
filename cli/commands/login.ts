import { login } from '../../src/index.js';
import { defineCommand } from '../command.js';
import type { CliContext } from '../context.js';
import { familiarPath } from '../familiar-path.js';
import { placeName } from '../place-name.js';
import { Prompt } from '../prompt.js';
import { registryAccess, registryOptions } from '../registry-options.js';
import { printableLine } from '../render/printable.js';
import { UsageError } from '../usage-error.js';

const longestPassword = 64 * 1024;

export const command = defineCommand({
  positionals: {
    registry: {
      type: 'string',
      default: 'docker.io',
      describe: 'Host of the registry, or a part of it as ghcr.io/team',
    },
  },
  options: {
    username: { alias: 'u', type: 'string', requiresArg: true, describe: 'Name of the user' },
    'password-stdin': { type: 'boolean', describe: 'Read the password from standard input' },
    password: {
      alias: 'p',
      type: 'string',
      requiresArg: true,
      conflicts: 'password-stdin',
      describe: 'The password, for everyone on this machine to see',
    },
    ...registryOptions,
  },
  unsupported: {
    'compat-auth-file': {
      value: true,
      reason: 'all files of credentials are written so that Docker can read them',
      instead: 'Use --authfile.',
    },
    'get-login': { value: false, reason: 'it shows names', instead: 'Use lading auth explain.' },
    'tls-verify': { value: true, reason: 'it has another name', instead: 'Use --insecure.' },
    'cert-dir': { value: true, reason: 'certificates have their places', instead: 'See docs/registries.md.' },
  },
  examples: [
    { line: 'lading login ghcr.io', does: 'Asks for the name and the password' },
    { line: 'lading login -u me --password-stdin ghcr.io < token.txt', does: 'For scripts' },
    { line: 'lading login -u robot quay.io/team', does: 'For a part of a registry alone' },
  ],
  async run(args, context) {
    const { stdout, stderr, signal } = context;
    const warn = (text: string): void => void stderr.write(`warning: ${printableLine(text)}\n`);
    const { username, password } = await credentials(args, context, warn);
    const registry = registryAccess(args, context, warn);
    const done = await login(args.registry, { username, password, registry, signal });
    if (!done.checked) warn(`${done.name} asks nobody who they are: the password was not checked`);
    if (done.shadowedBy !== undefined) {
      warn(`${placeName(done.shadowedBy, context)} is looked at earlier, and has something else for ${done.name}`);
    }
    const keeper = done.helper ?? familiarPath(done.file, context);
    stdout.write(printableLine(`logged in to ${done.name} as ${username}; the password is kept by ${keeper}`));
    stdout.write('\n');
  },
});

interface LoginArguments {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly passwordStdin?: boolean | undefined;
}

async function credentials(
  { username, password, passwordStdin }: LoginArguments,
  context: CliContext,
  warn: (text: string) => void,
): Promise<{ username: string; password: string }> {
  if (passwordStdin) {
    if (username === undefined) throw new UsageError('--password-stdin needs --username');
    return { username, password: await fromInput(context) };
  }
  if (password !== undefined) {
    warn('everyone on this machine can see the arguments of programs: better use --password-stdin');
    if (username !== undefined) return { username, password };
  }
  if (!context.stdin.isTTY) {
    throw new UsageError(
      'there is no terminal to ask for the name and the password',
      'Use --username and --password-stdin.',
    );
  }
  const prompt = new Prompt(context);
  try {
    return {
      username: username ?? (await prompt.ask('Username: ')),
      password: password ?? (await prompt.ask('Password: ', { hidden: true })),
    };
  } finally {
    prompt.close();
  }
}

async function fromInput({ stdin, signal }: CliContext): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    signal.throwIfAborted();
    const bytes = Buffer.from(chunk as Uint8Array);
    size += bytes.length;
    if (size > longestPassword) throw new UsageError('standard input is no password: it is too long');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
