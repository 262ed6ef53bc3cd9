import { compare } from '../compare.js';
import { lading } from '../peers/lading.js';
import type { Workload } from './workload.js';

/** What every command costs before it does anything. */
export const start: Workload = {
  name: 'start',
  summary: 'lading --version beside an empty program',
  run: async bench => [
    await compare(bench, {
      name: 'start',
      title: 'Start',
      contenders: [
        { name: 'lading --version', argv: lading('--version') },
        { name: 'node -e 0', argv: [process.execPath, '-e', '0'] },
      ],
      limits: [{ kind: 'time', contender: 'lading --version', of: ['node -e 0'], most: 2.5 }],
      times: 5,
      warmUps: 1,
    }),
  ],
};
