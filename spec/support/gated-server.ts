import type { ServerResponse } from 'node:http';
import { type WebServer, webServer } from './web-server.js';

/** A web server whose answers wait until the test lets them go, so that a test decides what is slow. */
export interface GatedServer extends WebServer {
  /** Paths in the order in which they were asked for. */
  readonly asked: readonly string[];
  /** Fulfilled when all these paths have been asked for. */
  waitFor(...paths: readonly string[]): Promise<void>;
  /** Answers what waits, and what comes later, at this path: 200 with the path as content unless another status is given. */
  release(path: string, status?: number): void;
}

export async function gatedServer(): Promise<GatedServer> {
  const asked: string[] = [];
  const released = new Map<string, number>();
  const waiting = new Map<string, ServerResponse[]>();
  const watchers = new Set<() => void>();
  const answer = (path: string, response: ServerResponse): void => {
    response.writeHead(released.get(path)!, { 'last-modified': 'Sat, 01 Jan 1994 00:00:00 GMT' }).end(path);
  };
  const server = await webServer((request, response) => {
    const path = request.url!;
    asked.push(path);
    if (released.has(path)) answer(path, response);
    else waiting.set(path, [...(waiting.get(path) ?? []), response]);
    for (const watcher of watchers) watcher();
  });
  return {
    ...server,
    asked,
    async waitFor(...paths) {
      await new Promise<void>(resolve => {
        const look = (): void => {
          if (!paths.every(path => asked.includes(path))) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      });
    },
    release(path, status = 200) {
      released.set(path, status);
      for (const response of waiting.get(path) ?? []) answer(path, response);
      waiting.delete(path);
    },
  };
}
