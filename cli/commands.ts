import type { Command } from './command.js';

/** A command as it is known before it is loaded. */
export interface CommandEntry {
  readonly name: string;
  /** Arguments in yargs' notation. */
  readonly usage: string;
  readonly describe: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** All commands, in the order of the help. Each is loaded only when it is the one. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'build',
    usage: '<context>',
    describe: 'Build an image from a Dockerfile',
    load: () => import('./commands/build.js'),
  },
  {
    name: 'pull',
    usage: '<image>',
    describe: 'Copy an image from its registry into the store',
    load: () => import('./commands/pull.js'),
  },
  {
    name: 'push',
    usage: '<image> [destination]',
    describe: 'Copy an image from the store to a registry',
    load: () => import('./commands/push.js'),
  },
  {
    name: 'copy',
    usage: '<source> <destination>',
    describe: 'Copy an image between registries, layouts, archives and the store',
    load: () => import('./commands/copy.js'),
  },
  {
    name: 'login',
    usage: '[registry]',
    describe: 'Keep a password for a registry',
    load: () => import('./commands/login.js'),
  },
  {
    name: 'logout',
    usage: '[registry]',
    describe: 'Forget the password for a registry',
    load: () => import('./commands/logout.js'),
  },
  {
    name: 'auth explain',
    usage: '<image>',
    describe: 'Tell which credentials an image is asked for with, and why',
    load: () => import('./commands/auth-explain.js'),
  },
  {
    name: 'debug ls',
    usage: '[path]',
    describe: 'List files of a RUN that failed',
    load: () => import('./commands/debug-ls.js'),
  },
  {
    name: 'debug cat',
    usage: '<path>',
    describe: 'Print a file of a RUN that failed',
    load: () => import('./commands/debug-cat.js'),
  },
  {
    name: 'debug diff',
    usage: '',
    describe: 'List what a RUN that failed has changed',
    load: () => import('./commands/debug-diff.js'),
  },
  {
    name: 'images',
    usage: '[name..]',
    describe: 'List the images in the store',
    load: () => import('./commands/images.js'),
  },
  {
    name: 'tag',
    usage: '<image> <name>',
    describe: 'Give an image in the store a further name',
    load: () => import('./commands/tag.js'),
  },
  {
    name: 'rmi',
    usage: '<image..>',
    describe: 'Take names of images out of the store',
    load: () => import('./commands/rmi.js'),
  },
  {
    name: 'inspect',
    usage: '<image>',
    describe: 'Show what an image is made of',
    load: () => import('./commands/inspect.js'),
  },
  {
    name: 'history',
    usage: '<image>',
    describe: 'Show how an image came to be',
    load: () => import('./commands/history.js'),
  },
  {
    name: 'save',
    usage: '<image..>',
    describe: 'Write images to an archive',
    load: () => import('./commands/save.js'),
  },
  {
    name: 'load',
    usage: '',
    describe: 'Read images from an archive',
    load: () => import('./commands/load.js'),
  },
  {
    name: 'run',
    usage: '<image> [command..]',
    describe: 'Run a command in an image',
    load: () => import('./commands/run.js'),
  },
  {
    name: 'start',
    usage: '<container>',
    describe: 'Run a container again',
    load: () => import('./commands/start.js'),
  },
  {
    name: 'stop',
    usage: '<container..>',
    describe: 'End what a container runs',
    load: () => import('./commands/stop.js'),
  },
  {
    name: 'ps',
    usage: '',
    describe: 'List containers',
    load: () => import('./commands/ps.js'),
  },
  {
    name: 'port',
    usage: '<container> [port]',
    describe: 'Show where the ports of a container can be reached',
    load: () => import('./commands/port.js'),
  },
  {
    name: 'logs',
    usage: '<container>',
    describe: 'Show what a container has written',
    load: () => import('./commands/logs.js'),
  },
  {
    name: 'diff',
    usage: '<container>',
    describe: 'Show what a container has changed',
    load: () => import('./commands/diff.js'),
  },
  {
    name: 'cp',
    usage: '<source> <destination>',
    describe: 'Copy files into a container, or out of it',
    load: () => import('./commands/cp.js'),
  },
  {
    name: 'commit',
    usage: '<container> [name]',
    describe: 'Make an image of what a container has changed',
    load: () => import('./commands/commit.js'),
  },
  {
    name: 'export',
    usage: '<container>',
    describe: 'Write all files of a container to a tar',
    load: () => import('./commands/export.js'),
  },
  {
    name: 'rm',
    usage: '<container..>',
    describe: 'Remove containers',
    load: () => import('./commands/rm.js'),
  },
  {
    name: 'tags',
    usage: '<repository>',
    describe: 'List the tags of a repository',
    load: () => import('./commands/tags.js'),
  },
  {
    name: 'catalog',
    usage: '<registry>',
    describe: 'List the repositories of a registry',
    load: () => import('./commands/catalog.js'),
  },
  {
    name: 'search',
    usage: '<term>',
    describe: 'Look for repositories in a registry',
    load: () => import('./commands/search.js'),
  },
  {
    name: 'digest',
    usage: '<image>',
    describe: 'Show the digest that a name leads to',
    load: () => import('./commands/digest.js'),
  },
  {
    name: 'manifest',
    usage: '<image>',
    describe: 'Print a manifest as it is',
    load: () => import('./commands/manifest.js'),
  },
  {
    name: 'blob',
    usage: '<blob>',
    describe: 'Print a blob as it is',
    load: () => import('./commands/blob.js'),
  },
  {
    name: 'delete',
    usage: '<image..>',
    describe: 'Delete tags, manifests or blobs in a registry',
    load: () => import('./commands/delete.js'),
  },
  {
    name: 'index create',
    usage: '<name> <source..>',
    describe: 'Make one image of several platforms out of images',
    load: () => import('./commands/index-create.js'),
  },
  {
    name: 'index append',
    usage: '<name> <source..>',
    describe: 'Add images to an index',
    load: () => import('./commands/index-append.js'),
  },
  {
    name: 'index remove',
    usage: '<name> <image..>',
    describe: 'Take images out of an index',
    load: () => import('./commands/index-remove.js'),
  },
  {
    name: 'index inspect',
    usage: '<image>',
    describe: 'Show the images of an index',
    load: () => import('./commands/index-inspect.js'),
  },
  {
    name: 'index merge',
    usage: '<name>',
    describe: 'Make the index of parts that several machines have pushed',
    load: () => import('./commands/index-merge.js'),
  },
  {
    name: 'artifact list',
    usage: '<image>',
    describe: 'List what speaks of an image',
    load: () => import('./commands/artifact-list.js'),
  },
  {
    name: 'artifact attach',
    usage: '<image> [file..]',
    describe: 'Attach files to an image',
    load: () => import('./commands/artifact-attach.js'),
  },
  {
    name: 'artifact fetch',
    usage: '<artifact>',
    describe: 'Write the files of an artifact to a folder',
    load: () => import('./commands/artifact-fetch.js'),
  },
  {
    name: 'system df',
    usage: '',
    describe: 'Show what the store takes on disk',
    load: () => import('./commands/system-df.js'),
  },
  {
    name: 'prune',
    usage: '',
    describe: 'Delete what no image needs from the store',
    load: () => import('./commands/prune.js'),
  },
  {
    name: 'fsck',
    usage: '',
    describe: 'Check every byte of the store',
    load: () => import('./commands/fsck.js'),
  },
  {
    name: 'doctor',
    usage: '',
    describe: 'Say how RUN works on this machine, and what would make it work better',
    load: () => import('./commands/doctor.js'),
  },
  {
    name: 'version',
    usage: '',
    describe: 'Show the version',
    load: () => import('./commands/version.js'),
  },
];
