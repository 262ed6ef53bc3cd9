import type { Options } from 'yargs';
import { sandboxNames } from '../src/index.js';

export const sandboxOption = {
  sandbox: {
    choices: sandboxNames,
    default: 'auto' as const,
    requiresArg: true,
    describe: 'How processes are kept apart; "lading doctor" tells what this machine allows',
  },
} as const satisfies Readonly<Record<string, Options>>;
