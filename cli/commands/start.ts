import { findContainer, startContainer } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { containerSandbox } from '../container-sandbox.js';
import { detached } from '../detached-container.js';
import { sandboxOption } from '../sandbox-option.js';
import { withStore } from '../store-session.js';

export const command = defineCommand({
  positionals: { container: { type: 'string', demandOption: true, describe: 'Name or id' } },
  options: {
    attach: { alias: 'a', type: 'boolean', describe: 'Show its output, and wait for its end' },
    interactive: { alias: 'i', type: 'boolean', describe: 'Let it have the terminal and standard input' },
    ...sandboxOption,
  },
  examples: [
    { line: 'lading start -a edit', does: 'Once more, on the files that it has left' },
    { line: 'lading start server', does: 'By itself' },
  ],
  async run(args, context) {
    const { signal, stdout, stderr, now } = context;
    return await withStore(args, context, async store => {
      const { id, name } = await findContainer(args.container, { store });
      if (!args.attach && !args.interactive) {
        await detached(store, id, args, context);
        stdout.write(`${name}\n`);
        return 0;
      }
      const ended = await startContainer(id, {
        store,
        sandbox: await containerSandbox(store, args, context),
        attached: args.interactive,
        onOutput: (stream, chunk) => void (stream === 'stdout' ? stdout : stderr).write(chunk),
        now,
        signal,
      });
      return ended.exitCode;
    });
  },
});
