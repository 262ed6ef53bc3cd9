import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Overlay } from './overlaid.js';

/** How the BuildKit of Docker 20.10 treats a case of the corpus in another way than the one of Docker 28.5, and lading. */
export interface Older {
  readonly why: string;
  /** It knows less, or refuses in other words: with these. */
  readonly refuses?: string;
  /** It builds what the newer one refuses. */
  readonly accepts?: true;
  /** It ends with the whole daemon. */
  readonly dies?: true;
  /** Its image has these parts instead; `null`: they are missing. */
  readonly differs?: Overlay;
}

const heredocs = (refuses: string): Older => ({ why: 'no heredocs', refuses: `unknown instruction: ${refuses}` });
const flag = (name: string): Older => ({ why: `no --${name}`, refuses: `Unknown flag: ${name}` });
const modifier = (word: string): Older => ({
  why: 'variables have no modifiers but :-, :+ and :?',
  refuses: `failed to process "${word}": missing ':' in substitution`,
});
const other = (refuses: string): Older => ({ why: 'it says so in other words', refuses });
const contexts: Older = { why: 'no named contexts', refuses: 'unknown flag: --build-context' };
const stubs = (paths: readonly string[], more: Overlay = {}): Older => ({
  why: 'folders that are made to mount on stay in the image',
  differs: { tree: { ...Object.fromEntries(paths.map(path => [path, folder])), ...more } },
});
const folder = { type: 'dir', mode: '0755', uid: 0, gid: 0 };
const text = (content: string) => ({
  size: Buffer.byteLength(content),
  sha256: createHash('sha256').update(content).digest('hex'),
});
const not = (value: string) => expect.not.stringMatching(value);
const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export const olderBuildkit: Readonly<Record<string, Older>> = {
  '023-heredoc-copy-quoted-name': heredocs('HELLO'),
  '025-heredoc-copy-multiple': heredocs('FIRST'),
  '027-heredoc-run-shebang': heredocs('ECHO'),
  '029-heredoc-run-two': heredocs('A'),
  '031-heredoc-body-is-literal': heredocs('<<OTHER'),
  '033-heredoc-name-with-dollar': heredocs('X'),
  '035-heredoc-after-continuation': heredocs('BODY'),
  '039-heredoc-same-name-twice': heredocs('ONE'),
  '041-heredoc-onbuild': heredocs('ECHO'),
  '043-flag-quoting': { why: 'folders that are made have no --chmod', differs: { tree: { '/q': { mode: '0755' } } } },
  '045-cmd-leading-dashes': other('Unknown flag: foo'),
  '053-check-error': { why: 'no checks', accepts: true },
  '061-default-modifiers': modifier('${U-d}'),
  '065-prefix-suffix-strip': modifier('${P#*/}'),
  '069-arg-multi-sees-earlier': {
    why: 'arguments of one ARG do not see each other',
    differs: {
      config: { Labels: { b: '2', c: ' 3' } },
      history: { 5: 'LABEL a=1 b=2 c= 3 d=[]' },
    },
  },
  '071-stage-default-beats-global': modifier('[${W-unset}]'),
  '075-build-arg-after-env': {
    why: 'an argument that is declared twice stands twice in the history',
    differs: { history: { 9: 'RUN |2 V=cli V=cli /bin/sh -c echo $V > /out # buildkit' } },
  },
  '089-pattern-escapes': modifier('${P#a\\\\*}'),
  '093-heredoc-modifiers': heredocs('${A:-X}'),
  '101-copy-from-variable': other('failed to parse stage name "$S"'),
  '113-target-by-index': other('target stage 0 could not be found'),
  '121-named-context-dir': contexts,
  '123-named-context-dockerignore': contexts,
  '129-onbuild-copy-from-child-stage': {
    why: 'a trigger does not find stages of the child',
    refuses: '/d: no such file',
  },
  '149-copy-chown-names-without-passwd': { why: 'names need /etc/passwd', refuses: '/etc/passwd: no such file' },
  '151-copy-file-trailing-slash': {
    why: 'the destination /dot/. is the file /dot',
    differs: { tree: { '/dot': { type: 'file', mode: '0644', ...text('f\n') }, '/dot/f': null } },
  },
  '161-copy-one-missing-of-many': other('"/nope" not found'),
  '183-copy-chmod-symbolic': {
    why: 'only octal modes mean something',
    differs: {
      tree: {
        '/s1/d/sub': { mode: '0700' },
        '/s1/d/sub/exe': { mode: '0700' },
        '/s1/d/sub/x': { mode: '0600' },
        '/s2/f': { mode: '0644' },
        '/s3/sub': { mode: '0700' },
        '/s3/sub/exe': { mode: '0700' },
        '/s3/sub/x': { mode: '0600' },
        '/s4/sub': { mode: '0700' },
        '/s4/sub/exe': { mode: '0700' },
        '/s4/sub/x': { mode: '0600' },
        '/s5': { mode: '0644' },
      },
    },
  },
  '185-copy-chmod-too-big': { why: 'modes that mean nothing are passed over', accepts: true },
  '187-copy-link-onto-symlink': flag('link'),
  '189-copy-link-chown-name': flag('link'),
  '191-copy-exclude': flag('exclude'),
  '193-copy-parents': flag('parents'),
  '195-copy-parents-wildcards': flag('parents'),
  '199-copy-parents-symlinked-dirs': flag('parents'),
  '205-copy-fifo-from-context': { why: 'pipes are left out', differs: { tree: { '/d/pipe': null } } },
  '215-copy-duplicate-flag': other('Duplicate flag specified: chown'),
  '217-copy-flag-bad-boolean': flag('link'),
  '229-add-unpack-false': flag('unpack'),
  '241-add-from-flag': other('Unknown flag: from'),
  '245-add-tar-missing-parents': {
    why: '--chown does not reach into archives',
    differs: { tree: { '/x/y/no/dir/entries/f': { uid: 3, gid: 3 } } },
  },
  '268-ignore-double-star-alone': {
    why: 'what ** hides does not come back',
    differs: { tree: { '/d': null, '/d/b.md': null } },
  },
  '276-ignore-applies-to-add-and-mount': stubs(['/ctx']),
  '290-expose-invalid': other('Invalid containerPort: abc'),
  '321-run-cwd-user-env': {
    why: 'processes have other further groups',
    differs: {
      tree: {
        '/tmp/o': text(`/w\nuid=0(root) gid=0(root)\nA=1\nB=2\nHOME=/root\n${path}\nPWD=/w\n`),
        '/tmp/o2': text(
          `uid=1000(app) gid=1000(app) groups=10(wheel),500(extra)\nA=1\nB=2\nHOME=/home/app\n${path}\n/home/app\n`,
        ),
      },
    },
  },
  '339-run-scratch-stubs': stubs(['/etc']),
  '341-run-bind-from-stage': stubs(['/all', '/mnt']),
  '343-run-cache-mount': stubs(['/cache', '/elsewhere', '/m', '/q'], { '/ls': text('/cache\n/elsewhere\n') }),
  '345-run-tmpfs-mount': { why: 'no size of a tmpfs', refuses: "unexpected key 'size'" },
  '349-run-network-none': flag('network'),
  '357-run-mount-later-stage': { why: 'stages to mount from may come later', accepts: true },
  '372-from-stage-touched-mtime': {
    why: 'folders that are copied have the time of the build',
    differs: { tree: { '/seen': { sha256: not(text('1400000000 /m/f\n1410000000 /m\n').sha256) } } },
  },
  '376-from-stage-missing': other('"/nope" not found'),
  '378-from-stage-device-fifo': {
    why: 'devices become empty files, and pipes are left out',
    differs: { tree: { '/d/c': { type: 'file', dev: null, ...text('') }, '/d/p': null } },
  },
  '380-from-stage-chmod': {
    why: 'only octal modes mean something, and not for folders that are made',
    differs: { tree: { '/dst/file': { mode: '0640' }, '/ro': { mode: '0755' } } },
  },
  '403-arg-only': { why: 'it panics', dies: true },
  '405-unknown-instruction-suggestion': other('unknown instruction: RUNN'),
  '409-from-unknown-flag': other('Unknown flag: plat'),
  '425-error-line-numbers': other('"/nope" not found'),
};
