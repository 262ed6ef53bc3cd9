import { isLadingError } from '../../errors/errors.js';
import type { CallOptions } from '../../stream/bytes.js';
import type { Credential, CredentialCandidate, CredentialPlace, CredentialTarget } from './credentials.js';

/** What became of one place. Nothing in it is a secret. */
export interface PlaceReport {
  readonly place: string;
  readonly result: 'used' | 'nothing' | 'failed' | 'not-asked';
  /** What in the place concerns the image: `auths["ghcr.io/team"]`. */
  readonly entry?: string | undefined;
  /** Why nothing was found, or what failed. */
  readonly reason?: string | undefined;
}

export interface CredentialExplanation {
  readonly registry: string;
  readonly repository?: string | undefined;
  /** What is sent; without it requests are anonymous. */
  readonly credential?: { readonly kind: Credential['kind']; readonly username?: string | undefined } | undefined;
  /** All places, in the order in which they are looked at. */
  readonly places: readonly PlaceReport[];
}

/** Looks for credentials as `credentialsFrom` does, and tells what it sees. */
export async function explainCredentials(
  places: readonly CredentialPlace[],
  target: CredentialTarget,
  options: CallOptions,
): Promise<CredentialExplanation> {
  const reports: PlaceReport[] = [];
  let credential: Credential | undefined;
  let over = false;
  for (const { name: place, look } of places) {
    try {
      const seen = await look(target, options);
      if (typeof seen === 'string') {
        reports.push({ place, result: 'nothing', reason: seen });
      } else if (over) {
        reports.push({ place, result: 'not-asked', entry: seen[0]?.entry });
      } else {
        const report = await ask(seen, options);
        credential = report.credential;
        over = credential !== undefined;
        reports.push({ place, ...report.report });
      }
    } catch (error) {
      if (options.signal?.aborted || !isLadingError(error, 'CREDENTIALS')) throw error;
      reports.push({ place, result: 'failed', reason: error.message });
      over = true;
    }
  }
  return { ...target, ...(credential === undefined ? {} : { credential: shown(credential) }), places: reports };
}

async function ask(
  candidates: readonly CredentialCandidate[],
  options: CallOptions,
): Promise<{ readonly credential?: Credential; readonly report: Omit<PlaceReport, 'place'> }> {
  for (const { entry, get } of candidates) {
    const credential = await get(options);
    if (credential !== undefined) return { credential, report: { result: 'used', entry } };
  }
  const entry = candidates.map(candidate => candidate.entry).join(', ');
  return { report: { result: 'nothing', entry, reason: 'has no credentials' } };
}

function shown(credential: Credential): CredentialExplanation['credential'] {
  const { kind } = credential;
  const username = 'username' in credential ? credential.username : undefined;
  return { kind, ...(username === undefined ? {} : { username }) };
}
