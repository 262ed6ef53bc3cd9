import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Refusal } from './registry-content.js';
import type { Fault } from './registry-faults.js';

/** A request as it came in; what it showed as proof of who it is, is reduced to the kind of proof. */
export interface RecordedRequest {
  readonly origin: 'registry' | 'tokens' | 'storage';
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly authorization: 'none' | 'basic' | 'bearer' | 'other';
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body that arrived. */
  received: number;
  /** 0 until there is an answer, and when there never was one. */
  status: number;
  /** The client went away before it had the whole answer. */
  abandoned: boolean;
}

/** A request that is being answered. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly record: RecordedRequest;
  readonly url: URL;
  readonly faults: readonly Fault[];
}

/** Answers, as far as the faults of the request let it. */
export function reply(
  { response, record, faults }: Call,
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Buffer = '',
): void {
  record.status = status;
  let bytes = Buffer.from(body);
  let cut: Extract<Fault, { kind: 'cut' | 'stall' }> | undefined;
  const changed: Record<string, string | undefined> = { ...headers };
  for (const fault of faults) {
    if (fault.kind === 'lost-answer') {
      response.destroy();
      return;
    }
    if (fault.kind === 'headers') Object.assign(changed, fault.headers);
    if (fault.kind === 'shorten') bytes = bytes.subarray(0, fault.toBytes);
    if (fault.kind === 'cut' || fault.kind === 'stall') cut = fault;
    if (fault.kind === 'corrupt' && bytes.length > 0) {
      const at = Math.floor(bytes.length / 2);
      bytes[at] = bytes[at]! ^ 1;
    }
  }
  // As real registries do it; the faults may say otherwise.
  if (!('content-length' in changed)) changed['content-length'] = String(bytes.length);
  const kept = Object.entries(changed).filter((entry): entry is [string, string] => entry[1] !== undefined);
  response.writeHead(status, Object.fromEntries(kept));
  const slow = throttleOf(faults);
  if (record.method === 'HEAD') response.end();
  else if (slow !== undefined) void sendSlowly(response, bytes, slow);
  else if (cut === undefined || cut.afterBytes >= bytes.length) response.end(bytes);
  else {
    const { kind, afterBytes } = cut;
    response.write(bytes.subarray(0, afterBytes), () => {
      if (kind === 'cut') response.destroy();
    });
  }
}

/** Answers with an error in the form of the specification. */
export function refuse(call: Call, { status, code, message }: Refusal): void {
  call.request.resume();
  reply(call, status, { 'content-type': 'application/json' }, errorBody(code, message));
}

export function errorBody(code: string, message: string): string {
  return JSON.stringify({ errors: [{ code, message }] });
}

/** The body of a request, or so much of it; `onChunk` gets it as it comes. */
export async function readBody(
  { request, record, faults }: Pick<Call, 'request' | 'record' | 'faults'>,
  limit = Number.POSITIVE_INFINITY,
  onChunk?: (chunk: Buffer) => void,
): Promise<Buffer> {
  const slow = throttleOf(faults);
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    const taken = chunk.subarray(0, limit - record.received);
    chunks.push(taken);
    onChunk?.(taken);
    record.received += taken.length;
    if (record.received >= limit) break;
    if (slow !== undefined) await sleep((chunk.length / slow) * 1000);
  }
  return Buffer.concat(chunks);
}

function throttleOf(faults: readonly Fault[]): number | undefined {
  return faults.find(fault => fault.kind === 'throttle')?.bytesPerSecond;
}

/** Twenty times a second, or a byte at a time. */
async function sendSlowly(response: ServerResponse, bytes: Buffer, bytesPerSecond: number): Promise<void> {
  const piece = Math.max(1, Math.floor(bytesPerSecond / 20));
  for (let at = 0; at < bytes.length && !response.destroyed; at += piece) {
    response.write(bytes.subarray(at, at + piece));
    await sleep((piece / bytesPerSecond) * 1000);
  }
  response.end();
}

/** What an `Authorization` proves something with, without saying what. */
export function kindOf(authorization: string | undefined): RecordedRequest['authorization'] {
  if (authorization === undefined) return 'none';
  if (/^basic /i.test(authorization)) return 'basic';
  return /^bearer /i.test(authorization) ? 'bearer' : 'other';
}

export function withoutSecrets(request: IncomingMessage): Readonly<Record<string, string>> {
  const { authorization: _, ...headers } = request.headers;
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
