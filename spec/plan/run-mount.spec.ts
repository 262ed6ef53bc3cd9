import { describe, expect, it } from 'vitest';
import { mountFrom } from '../../src/plan/mount-fields.js';
import { type MountContext, parseRunMount } from '../../src/plan/run-mount.js';
import { failureOf } from './support.js';

const context: MountContext = {
  expand: word => word.replace('$X', 'x'),
  cwd: '/place',
  origin: from => (from === '' ? { kind: 'context' } : { kind: 'named', name: from }),
};
const parse = (text: string, sshIndex = 0) => parseRunMount(text, context, sshIndex);
const shared = { mode: 0o755, uid: 0, gid: 0 };

describe('parseRunMount', () => {
  it.each([
    ['target=/t', { type: 'bind', target: '/t', from: { kind: 'context' }, source: '/', readOnly: true }],
    ['type=bind,dst=t/../u/,src=../a//b,rw', { target: '/place/u', source: '/a/b', readOnly: false }],
    [
      'destination=//t,from=img,readonly=false',
      { target: '/t', from: { kind: 'named', name: 'img' }, readOnly: false },
    ],
    ['target=', { target: '/place' }],
    ['TYPE=Bind,Target=$X', { type: 'bind', target: '/place/x' }],
    ['readwrite=0,target=/t', { readOnly: true }],
    ['ro,rw,target=/t', { readOnly: false }],
  ])('reads the bind mount %s', (text, expected) => {
    expect(parse(text)).toMatchObject(expected);
  });

  it.each([
    [
      'type=cache,target=/c/',
      { id: '/c', target: '/c', from: { kind: 'scratch' }, sharing: 'shared', readOnly: false },
    ],
    ['type=cache,target=c', { id: 'c', target: '/place/c' }],
    ['type=cache,target=/c,id=$X,sharing=Private,ro', { id: 'x', sharing: 'private', readOnly: true }],
    ['type=cache,target=/c,mode=0700', { permissions: { ...shared, mode: 0o700 } }],
    ['type=cache,target=/c,uid=7', { permissions: { ...shared, uid: 7 } }],
    ['type=cache,target=/c,from=img,source=s', { from: { kind: 'named', name: 'img' }, source: '/s' }],
  ])('reads the cache mount %s', (text, expected) => {
    expect(parse(text)).toMatchObject(expected);
  });

  it('leaves the permissions of a cache to the folder that it starts from', () => {
    expect(parse('type=cache,target=/c')).not.toHaveProperty('permissions');
    expect(parse('type=cache,target=/c,source=/s,mode=0700')).not.toHaveProperty('permissions');
  });

  it.each([
    ['type=tmpfs,target=/t', { type: 'tmpfs', target: '/t', readOnly: false }],
    ['type=tmpfs,target=/t,size=128m', { type: 'tmpfs', target: '/t', readOnly: false, sizeBytes: 134_217_728 }],
  ])('reads the tmpfs mount %s', (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  const secret = { type: 'secret', required: false, permissions: { mode: 0o400, uid: 0, gid: 0 } };
  it.each([
    ['type=secret,id=a/b', { ...secret, id: 'a/b', target: '/run/secrets/b' }],
    ['type=secret,source=s', { ...secret, id: 's', target: '/run/secrets/s' }],
    ['type=secret,target=/x/y', { ...secret, id: 'y', target: '/x/y' }],
    ['type=secret,target=rel', { ...secret, id: 'rel', target: '/rel' }],
    ['type=secret,id=a,env=A', { ...secret, id: 'a', env: 'A' }],
    ['type=secret,id=a,env=', { ...secret, id: 'a', env: 'a' }],
    ['type=secret,id=a,env=A,target=/t,required', { ...secret, id: 'a', env: 'A', target: '/t', required: true }],
    [
      'type=secret,id=a,mode=741,uid=1,gid=2',
      { ...secret, id: 'a', target: '/run/secrets/a', permissions: { mode: 0o741, uid: 1, gid: 2 } },
    ],
  ])('reads the secret mount %s', (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  const ssh = { type: 'ssh', required: false, permissions: { mode: 0o600, uid: 0, gid: 0 } };
  it.each([
    ['type=ssh', { ...ssh, id: 'default', target: '/run/buildkit/ssh_agent.3' }],
    ['type=ssh,id=two,target=/s,required=true', { ...ssh, id: 'two', target: '/s', required: true }],
  ])('reads the ssh mount %s', (text, expected) => {
    expect(parse(text, 3)).toEqual(expected);
  });

  it.each([
    '',
    'target=/',
    'type=tmp,target=/t',
    'typ=tmpfs',
    'nonsense',
    'target',
    'ro=maybe,target=/t',
    'rw=,target=/t',
    'required,target=/t',
    'required=true,type=secret,id=a',
    'size=1m,type=tmpfs,target=/t',
    'type=tmpfs,target=/t,size=big',
    'target=/t,mode=0755',
    'target=/t,uid=1',
    'type=tmpfs,target=/t,gid=1',
    'type=cache,target=/c,mode=8',
    'type=cache,target=/c,mode=',
    'type=cache,target=/c,uid=-1',
    'type=cache,target=/c,uid=4294967296',
    'type=cache,target=/c,sharing=some',
    'target=/t,sharing=shared',
    'type=secret',
    'type=secret,id=a,from=x',
    'type=secret,id=a,sharing=shared',
    'type=secret,id=a,source=b',
    'type=ssh,source=x',
    '"target=/t',
  ])('refuses %j', text => {
    expect(failureOf(() => parse(text))).toMatchObject({ code: 'INVALID_VALUE', details: { what: 'mount' } });
  });

  it('says what was probably meant', () => {
    expect(failureOf(() => parse('typ=tmpfs')).message).toContain('did you mean type?');
    expect(failureOf(() => parse('type=tmp')).message).toContain('did you mean tmpfs?');
  });
});

describe('mountFrom', () => {
  it.each([
    ['target=/t', ''],
    ['from=a,target=/t', 'a'],
    ['FROM=a,from=b', 'b'],
    ['"from=a,b"', 'a,b'],
    ['from=a$', 'a$'],
    ['nonsense,ro', ''],
  ])('finds the source of %s', (text, from) => {
    expect(mountFrom(text)).toBe(from);
  });

  it.each(['from=$x', 'target=/t,from=a${b}'])('refuses variables in %s', text => {
    expect(failureOf(() => mountFrom(text)).code).toBe('INVALID_VALUE');
  });
});
