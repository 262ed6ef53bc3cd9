import { commitContainer } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { entering } from '../entering.js';
import { withStore } from '../store-session.js';
import { UsageError } from '../usage-error.js';

/** 2000-01-01T00:00:00Z, as in builds. */
const defaultEpoch = 946_684_800;

export const command = defineCommand({
  positionals: {
    container: { type: 'string', demandOption: true, describe: 'Name or id; it must not run' },
    name: { type: 'string', describe: 'Name for the image' },
  },
  options: {
    author: { alias: 'a', type: 'string', requiresArg: true, describe: 'Who has made it' },
    message: { alias: 'm', type: 'string', requiresArg: true, describe: 'What was done, for the history' },
    change: {
      alias: 'c',
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'Instruction that changes the configuration: CMD, ENTRYPOINT, ENV, LABEL, USER, WORKDIR ...',
    },
  },
  unsupported: {
    pause: { value: false, reason: 'only what does not run can be committed', instead: 'Leave it out.' },
  },
  examples: [
    { line: 'lading commit edit app:1.0', does: 'An image of what it has changed' },
    { line: "lading commit -c 'CMD [\"app\"]' -m 'add app' edit app:1.0", does: 'With another command' },
  ],
  async run(args, context) {
    const { stdout, env, signal } = context;
    const { digest } = await withStore(args, context, store =>
      commitContainer(args.container, {
        store,
        ...entering(context),
        name: args.name,
        author: args.author,
        message: args.message,
        changes: args.change,
        epoch: epochOf(env['SOURCE_DATE_EPOCH']),
        signal,
      }),
    );
    stdout.write(`${digest}\n`);
  },
});

function epochOf(text: string | undefined): number {
  if (text === undefined || text === '') return defaultEpoch;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new UsageError(`SOURCE_DATE_EPOCH is no time: ${text}`, 'It is a number of seconds since 1970.');
}
