import { describe, expect, it } from 'vitest';
import type { BuildRecord } from '../../src/build/build-record.js';
import { type ProvenanceOptions, provenance } from '../../src/build/provenance.js';
import { digestOf } from '../../src/oci/digest.js';
import { expectGolden } from '../support/golden.js';

const record: BuildRecord = {
  request: {
    args: {
      target: 'release',
      'label:owner': 'team',
      'build-arg:VERSION': '1.0',
      'build-arg:NPM_TOKEN': 'very secret',
      'build-arg:PROXY': 'http://user:very%20secret@proxy:3128/',
      'context:base': 'docker-image://alpine:3.17',
    },
  },
  dockerfile: { file: 'build/Dockerfile', text: 'FROM base\nADD https://user:very%20secret@host/file /\n' },
  buildPlatform: { os: 'linux', architecture: 'arm64' },
  materials: [
    { uri: 'https://host/file', digest: digestOf('file') },
    { uri: 'pkg:docker/alpine@3.17?platform=linux%2Famd64', digest: digestOf('alpine') },
  ],
  locals: ['context'],
  secrets: [
    { id: 'npm', optional: false },
    { id: 'extra', optional: true },
  ],
  agents: [{ id: 'default', optional: false }],
  network: false,
};

const remote: BuildRecord = {
  ...record,
  request: { args: {}, origin: { uri: 'https://host/context.tar', digest: digestOf('context') } },
  materials: [{ uri: 'https://host/context.tar', digest: digestOf('context') }],
  locals: [],
  secrets: [],
  agents: [],
};

const cases: ReadonlyArray<readonly [string, BuildRecord, ProvenanceOptions]> = [
  ['v1-max', record, { builderId: 'https://ci.example/1', reproducible: true }],
  ['v1-min', record, { mode: 'min' }],
  ['v0.2-max', record, { version: 'v0.2', reproducible: true }],
  ['v0.2-min', record, { version: 'v0.2', mode: 'min' }],
  ['v1-remote', remote, { mode: 'min' }],
  ['v0.2-remote', remote, { version: 'v0.2', mode: 'min' }],
];

describe('provenance', () => {
  it.each(cases)('%s', (name, build, options) => {
    const claim = provenance(build, options);
    expectGolden(`provenance/${name}.json`, `${JSON.stringify(claim, undefined, 2)}\n`);
  });

  it('holds no secret, no time and nothing of this run', () => {
    for (const [, build, options] of cases) {
      const text = JSON.stringify(provenance(build, options));
      const hidden = [text, ...[...text.matchAll(/"data":"([^"]*)"/g)].map(([, data]) => atob(data!))].join('\n');
      expect(hidden).not.toMatch(/very|startedOn|invocationI/);
      expect(JSON.stringify(provenance(build, options))).toBe(text);
    }
  });

  it('is hermetic only where everything that was used has a digest, and no command could fetch more', () => {
    const hermetic = (build: BuildRecord) => JSON.stringify(provenance(build)).includes('"buildkit_hermetic":true');
    expect(hermetic(remote)).toBe(true);
    expect(hermetic({ ...remote, network: true })).toBe(false);
    expect(hermetic({ ...remote, locals: ['other'] })).toBe(false);
    expect(hermetic(record)).toBe(false);
  });
});
