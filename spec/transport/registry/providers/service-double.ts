import { onTestFinished } from 'vitest';
import { readAll } from '../../../support/content-suite.js';
import { webServer } from '../../../support/web-server.js';

export interface AskedService {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A service on this machine that answers with what `answer` gives: JSON, a text, or a status. It keeps what it was asked. */
export async function serviceDouble(
  answer: (asked: AskedService) => unknown,
): Promise<{ readonly url: string; readonly asked: AskedService[] }> {
  const asked: AskedService[] = [];
  const server = await webServer(async (request, response) => {
    const body = (await readAll(request)).toString();
    const { method = '', url: path = '', headers } = request;
    const entry = { method, path, headers, body };
    asked.push(entry);
    const said = answer(entry);
    if (typeof said === 'number') response.writeHead(said, { 'content-type': 'application/json' });
    response.end(
      typeof said === 'number' ? '{"error":"refused"}' : typeof said === 'string' ? said : JSON.stringify(said),
    );
  });
  onTestFinished(() => server.close());
  return { url: server.url, asked };
}

export function formOf({ body }: AskedService): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(body));
}
