import { createContainer, hostPlatform, removeContainers, startContainer } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { processOf, processOptions } from '../container-options.js';
import { containerSandbox } from '../container-sandbox.js';
import { detached } from '../detached-container.js';
import { entering } from '../entering.js';
import { imageName } from '../image-name.js';
import { registryAccess, registryOptions } from '../registry-options.js';
import { withProgress } from '../render/progress.js';
import { sandboxOption } from '../sandbox-option.js';
import { withStore } from '../store-session.js';
import { UsageError } from '../usage-error.js';

export const command = defineCommand({
  ownWords: 1,
  positionals: {
    image: { type: 'string', demandOption: true, describe: 'Name or digest; pulled when the store lacks it' },
    command: { type: 'string', array: true, describe: 'What to run in it, instead of what the image says' },
  },
  options: {
    name: { type: 'string', requiresArg: true, describe: 'Name for the container' },
    rm: { type: 'boolean', describe: 'Remove the container when it has ended' },
    detach: { alias: 'd', type: 'boolean', describe: 'Let it run by itself, and print its id' },
    interactive: { alias: 'i', type: 'boolean', describe: 'Let it read standard input' },
    tty: { alias: 't', type: 'boolean', describe: 'Let it have the terminal' },
    ...processOptions,
    pull: {
      choices: ['missing', 'always', 'never'] as const,
      default: 'missing' as const,
      requiresArg: true,
      describe: 'When its registry is asked',
    },
    platform: { type: 'string', requiresArg: true, describe: 'Which image of several platforms' },
    ...sandboxOption,
    ...registryOptions,
  },
  unsupported: {
    mount: { value: true, reason: 'volumes are written in one way', instead: 'Use --volume and --tmpfs.' },
    restart: { value: true, reason: 'there is no daemon to do it', instead: 'Let a service manager run lading run.' },
    memory: { value: true, reason: 'there is no daemon to keep groups of processes', instead: 'Use --ulimit.' },
    cpus: { value: true, reason: 'there is no daemon to keep groups of processes', instead: 'Use taskset or nice.' },
    'cap-add': { value: true, reason: 'capabilities are those of Docker, or all', instead: 'Use --privileged.' },
  },
  examples: [
    { line: 'lading run --rm -it debian:12 bash', does: 'Look around in an image' },
    { line: 'lading run --rm -v .:/src -w /src node:22 npm test', does: 'Run something on files of this machine' },
    { line: 'lading run -d -p 8080:80 --name server nginx', does: 'By itself, with a network of its own' },
    { line: 'lading run --name edit debian:12 touch /new', does: 'Change files, to be committed' },
  ],
  async run(args, context) {
    const { signal, stdout, stderr, arch, now } = context;
    if (args.detach && (args.interactive || args.tty || args.rm)) {
      throw new UsageError('what runs by itself has no terminal, and stays', 'Leave out -i, -t and --rm, or -d.');
    }
    return await withStore(args, context, async store => {
      const sandbox = args.detach ? undefined : await containerSandbox(store, args, context);
      const { id } = await withProgress(args.progress === 'auto' ? 'plain' : args.progress, context, async shown => {
        return await createContainer(await imageName(store, args.image), {
          store,
          host: hostPlatform(arch),
          platform: args.platform,
          pull: args.pull,
          name: args.name,
          process: processOf(args, args.command ?? [], context),
          registry: registryAccess(args, context, shown.warning),
          onEvent: shown.transfer,
          now,
          signal,
        });
      });
      if (sandbox === undefined) {
        await detached(store, id, args, context);
        stdout.write(`${id}\n`);
        return 0;
      }
      try {
        const ended = await startContainer(id, {
          store,
          sandbox,
          attached: args.interactive || args.tty,
          onOutput: (stream, chunk) => void (stream === 'stdout' ? stdout : stderr).write(chunk),
          now,
          signal,
        });
        return ended.exitCode;
      } finally {
        if (args.rm) await removeContainers([id], { store, ...entering(context), force: true });
      }
    });
  },
});
