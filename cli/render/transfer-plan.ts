import type { CopyEvent } from '../../src/index.js';
import { UsageError } from '../usage-error.js';
import { formatJson } from './json.js';
import { formatSize } from './size.js';
import { formatTable } from './table.js';

interface PlannedMove {
  readonly action: 'send' | 'mount' | 'exists' | 'leave out';
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
  /** The repository that it would be mounted from. */
  readonly from?: string;
}

/** The plan that `--dry-run` asks for; `undefined` without it. @throws UsageError */
export function planOf(args: {
  readonly dryRun?: boolean | undefined;
  readonly json?: boolean | undefined;
}): TransferPlan | undefined {
  if (args.dryRun) return new TransferPlan(args.json ?? false);
  if (args.json) throw new UsageError('--json is for --dry-run', 'Leave it out, or give --dry-run as well.');
  return undefined;
}

/** What a copy that is only rehearsed would move, in the order in which it would. */
export class TransferPlan {
  readonly #json: boolean;
  readonly #moves: PlannedMove[] = [];

  constructor(json: boolean) {
    this.#json = json;
  }

  readonly add = (event: CopyEvent): void => {
    const action = actionOf(event);
    if (action === undefined) return;
    const { digest, size, mediaType } = event.descriptor;
    this.#moves.push({ action, digest, size, mediaType, ...('from' in event ? { from: event.from } : {}) });
  };

  /** A table and a sum, or JSON. */
  format(): string {
    const sent = this.#moves.filter(({ action }) => action === 'send');
    const bytes = sent.reduce((sum, { size }) => sum + size, 0);
    if (this.#json) return formatJson({ sendBytes: bytes, moves: this.#moves });
    const columns = [{ title: 'ACTION' }, { title: 'SIZE', align: 'right' }, { title: 'DIGEST' }] as const;
    const rows = this.#moves.map(({ action, size, digest, from }) => [
      from === undefined ? action : `${action} from ${from}`,
      formatSize(size),
      digest,
    ]);
    return `${formatTable(columns, rows)}\nto send: ${formatSize(bytes)} in ${sent.length} of ${rows.length}\n`;
  }
}

function actionOf(event: CopyEvent): PlannedMove['action'] | undefined {
  switch (event.type) {
    case 'blob-done':
      return 'send';
    case 'manifest-done':
      return event.existed ? 'exists' : 'send';
    case 'blob-mounted':
      return 'mount';
    case 'blob-skipped':
      return event.reason === 'exists' ? 'exists' : 'leave out';
    default:
      return undefined;
  }
}
