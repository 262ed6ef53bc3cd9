import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { writeFiles } from './building.js';
import { type WebServer, webServer } from './web-server.js';

const fixed = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'C',
  GIT_COMMITTER_EMAIL: 'c@example.org',
};

/** A repository that tests commit to. The same commits have the same ids, wherever and whenever they are made. */
export class GitRepository {
  readonly path: string;

  constructor(path: string, ...init: string[]) {
    this.path = path;
    mkdirSync(path, { recursive: true });
    this.git('-c', 'init.defaultBranch=main', 'init', '-q', ...init);
    this.git('config', 'uploadpack.allowAnySHA1InWant', 'false');
  }

  /** Runs git in the repository, as of the time that is given in seconds since 1970. */
  git(...args: string[]): string {
    return this.at(1_600_000_000, ...args);
  }

  at(time: number, ...args: string[]): string {
    const date = `${time} +0000`;
    const env = { PATH: process.env['PATH'], ...fixed, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
    const safe = ['-c', 'protocol.file.allow=always', '-c', 'commit.gpgSign=false'];
    const result = spawnSync('git', [...safe, ...args], { cwd: this.path, env, encoding: 'utf8', maxBuffer: 2 ** 27 });
    if (result.status !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`);
    return result.stdout.trim();
  }

  /** Commits files, as `writeFiles` takes them, and gives the id of the commit. */
  commit(files: Readonly<Record<string, string>>, time = 1_600_000_000): string {
    writeFiles(this.path, files);
    this.git('add', '-A');
    this.at(time, 'commit', '-q', '--allow-empty', '-m', `at ${time}`);
    return this.git('rev-parse', 'HEAD');
  }
}

export interface GitServer extends WebServer {
  /** Of each request, as it was asked. */
  readonly requests: IncomingMessage[];
}

export interface GitServerOptions {
  /** Deals with a request itself, when it says so. */
  readonly before?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** The oldest one is `dumb`: nothing but files. Default: what the client asks for. */
  readonly protocol?: '0' | 'dumb' | undefined;
}

/** Serves the repositories below a folder over smart HTTP: `<url>/name/.git` for one with a work tree in `name`. */
export async function gitServer(root: string, { before, protocol }: GitServerOptions = {}): Promise<GitServer> {
  const backend = join(spawnSync('git', ['--exec-path'], { encoding: 'utf8' }).stdout.trim(), 'git-http-backend');
  const requests: IncomingMessage[] = [];
  const server = await webServer((request, response) => {
    requests.push(request);
    if (before?.(request, response)) return;
    const url = new URL(request.url!, 'http://localhost');
    if (protocol === 'dumb') return serveFile(join(root, url.pathname), response);
    const child = spawn(backend, [], {
      env: {
        PATH: process.env['PATH'],
        ...fixed,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: decodeURIComponent(url.pathname),
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method!,
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        ...(request.headers['content-length'] ? { CONTENT_LENGTH: request.headers['content-length'] } : {}),
        HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
        GIT_PROTOCOL: protocol === '0' ? '' : String(request.headers['git-protocol'] ?? ''),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    request.pipe(child.stdin);
    child.stdin.on('error', () => {});
    let head: Buffer | undefined = Buffer.alloc(0);
    child.stdout.on('data', (chunk: Buffer) => {
      if (head === undefined) return void response.write(chunk);
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const lines = head.toString('latin1', 0, end).split('\r\n');
      const headers = Object.fromEntries(lines.map(line => line.split(/:\s*/, 2) as [string, string]));
      response.writeHead(Number.parseInt(headers['Status'] ?? '200', 10), { ...headers, connection: 'close' });
      response.write(head.subarray(end + 4));
      head = undefined;
    });
    child.on('close', () => response.end());
    response.on('close', () => child.kill());
  });
  return { ...server, requests };
}

function serveFile(path: string, response: ServerResponse): void {
  if (existsSync(path)) response.end(readFileSync(path));
  else response.writeHead(404).end();
}
