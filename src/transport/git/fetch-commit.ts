import { at, type GitCommands, type GitPlace } from './git-commands.js';
import { repositoryError } from './git-failure.js';

/** A commit that is there. */
export interface FetchedCommit {
  /** Full id. */
  readonly id: string;
  readonly hasParents: boolean;
  /** When it was committed, in seconds since 1970. */
  readonly time: number;
}

/** What servers, and git for them, say when they do not give a commit alone, or not by its id. */
const cannotGive = /not our ref|unadvertised object|couldn't find remote ref|shallow|--depth/i;

/**
 * Gets one commit, without those before it where the server can do that, else everything that its branches and tags lead
 * to.
 * @throws LadingError GIT_REPOSITORY
 */
export async function fetchCommit(git: GitCommands, id: string, place: GitPlace, ref?: string): Promise<FetchedCommit> {
  const fetch = [...at(place), 'fetch', '--progress', '--no-tags', '--no-write-fetch-head', '--force'];
  const ways = [
    ['--depth=1', '--', git.remote, id],
    ['--', git.remote, id],
    ['--', git.remote, '+refs/heads/*:refs/fetched/heads/*', '+refs/tags/*:refs/fetched/tags/*'],
  ];
  for (const [number, way] of ways.entries()) {
    const result = await git.ask([...fetch, ...way]);
    if (result.status === 0) break;
    if (number === ways.length - 1 || !cannotGive.test(result.messages)) git.succeeded(result, ref ?? id);
  }
  return await describeCommit(git, id, place, ref);
}

async function describeCommit(git: GitCommands, id: string, place: GitPlace, ref?: string): Promise<FetchedCommit> {
  const peeled = await git.attempt([...at(place), 'rev-parse', '--verify', '--quiet', `${id}^{commit}`]);
  if (peeled.status !== 0) {
    throw repositoryError(git.repository, `${id} is no commit of the repository`, {
      ref: ref ?? id,
      hint: 'A commit that no branch or tag leads to any more cannot be had from every server.',
    });
  }
  const commit = peeled.stdout.toString('latin1').trim();
  const object = (await git.run([...at(place), 'cat-file', 'commit', commit])).toString('latin1');
  const header = object.slice(0, object.indexOf('\n\n'));
  const time = Number(/^committer .*> (\d{1,12}) [+-]\d{4}$/m.exec(header)?.[1] ?? Number.NaN);
  if (!Number.isSafeInteger(time) || time > latestTime) {
    throw repositoryError(git.repository, `commit ${commit} has no time that makes sense`);
  }
  return { id: commit, hasParents: /^parent /m.test(header), time };
}

/** The end of the year 9999: what a date in an image can say. */
const latestTime = 253_402_300_799;
