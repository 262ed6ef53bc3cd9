import { expect, it } from 'vitest';
import { packageUrl } from '../../src/oci/package-url.js';
import { parseReference } from '../../src/oci/reference.js';

const arm = { os: 'linux', architecture: 'arm', variant: 'v7' };
const digest = `sha256:${'a'.repeat(64)}`;

it.each([
  ['alpine', undefined, 'pkg:docker/alpine@latest'],
  ['alpine:3.17', { os: 'linux', architecture: 'amd64' }, 'pkg:docker/alpine@3.17?platform=linux%2Famd64'],
  ['me/app:1', arm, 'pkg:docker/me/app@1?platform=linux%2Farm%2Fv7'],
  ['ghcr.io/me/app:1.0', undefined, 'pkg:docker/ghcr.io/me/app@1.0'],
  ['127.0.0.1:5000/app', undefined, 'pkg:docker/127.0.0.1:5000/app@latest'],
  [`app@${digest}`, arm, `pkg:docker/app?digest=sha256%3A${'a'.repeat(64)}&platform=linux%2Farm%2Fv7`],
  [`app:1@${digest}`, undefined, `pkg:docker/app@1?digest=sha256%3A${'a'.repeat(64)}`],
])('%s for %j', (name, platform, url) => {
  expect(packageUrl('docker', parseReference(name), platform)).toBe(url);
  expect(packageUrl('oci', parseReference(name), platform)).toBe(url.replace('docker', 'oci'));
});
