import type { CredentialPlace } from '../credentials.js';
import { awsPlace } from './aws.js';
import { azurePlace } from './azure.js';
import { type CloudOptions, openCloud } from './cloud.js';
import { githubPlace } from './github.js';
import { gitlabPlace } from './gitlab.js';
import { googlePlace } from './google.js';

/** Services that know credentials for registries of their own, each asked only for names that are exactly theirs. */
export function providerPlaces(options: CloudOptions): readonly CredentialPlace[] {
  const cloud = openCloud(options);
  return [githubPlace(options.env), gitlabPlace(options.env), awsPlace(cloud), googlePlace(cloud), azurePlace(cloud)];
}
