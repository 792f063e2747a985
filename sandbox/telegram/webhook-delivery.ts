// Owns the delivery of updates to one webhook URL, from setWebhook to the next setWebhook or deleteWebhook.
// Promises what the real server does (tdlib/telegram-bot-api, WebhookActor.cpp):
// - one update of a lane at a time, other lanes in parallel up to `maxConnections`; so chats overtake each other;
// - anything but 2xx, redirects and 4xx included, and any broken connection, repeats the update: at once, then after
//   2, 4, 8 … s up to the cap, or after the answer's Retry-After; until the update expires;
// - 410 for 23 hours ends the webhook;
// - a 2xx body that names a method is executed as a call whose result nobody sees.
// Only twice `maxConnections` updates are looked at, oldest first: what fails can hold up everything behind it.
import { STATUS_CODES } from 'node:http';
import { Agent, request } from 'undici';
import { createFifo, type Fifo } from './fifo.ts';
import { isLoopback } from './loopback.ts';
import { isJsonObject, Parameters } from './parameters.ts';
import type { QueuedUpdate, UpdateQueue } from './update-queue.ts';

export interface DeliveryOptions {
  readonly url: URL;
  readonly secretToken: string;
  readonly maxConnections: number;
  readonly queue: UpdateQueue;
  readonly now: () => number;
  /** The wait before the second repetition; it doubles from there. The first repetition comes at once. */
  readonly retryBaseMs: number;
  readonly retryCapMs: number;
  /** How long an answer may take; it is measured coarsely, to about half a second. */
  readonly timeoutMs: number;
  /** Executes a method that the webhook's answer names. Must not throw; nobody waits for the result. */
  readonly execute: (method: string, parameters: Parameters) => void;
  readonly onError: (description: string) => void;
  /** An update has been accepted or given up. */
  readonly onSettled: () => void;
  /** The webhook has answered 410 for too long. */
  readonly onGone: () => void;
}

export interface Delivery {
  /** Ends the connections; what was under way stays in the queue and will be delivered again by the next one. */
  close(): Promise<void>;
}

interface Attempt {
  readonly entry: QueuedUpdate;
  failures: number;
  delayMs: number;
}

interface Answer {
  readonly status: number;
  readonly retryAfterSeconds: number;
  readonly body: unknown;
}

const MAXIMUM_RETRY_AFTER_SECONDS = 3600;
const IGNORED_IN_REPLY: ReadonlySet<string> = new Set(['setwebhook', 'deletewebhook', 'close', 'logout']);
const GONE_AFTER_MS = 23 * 3_600_000;

export function startDelivery(options: DeliveryOptions): Delivery {
  const { url, queue, maxConnections, now } = options;
  const agent = new Agent({ connections: maxConnections, pipelining: 1 });
  const abort = new AbortController();
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (options.secretToken !== '') headers['x-telegram-bot-api-secret-token'] = options.secretToken;

  /** Updates that are not looked at yet. */
  const backlog: Fifo<QueuedUpdate> = createFifo();
  /** The updates that are looked at, by lane; the first one of each is ready, under way or waiting for its retry. */
  const lanes = new Map<string, Fifo<Attempt>>();
  const ready: Fifo<Attempt> = createFifo();
  const retryTimers = new Set<NodeJS.Timeout>();
  let loadedCount = 0;
  let inFlightCount = 0;
  let goneSince: number | undefined;
  let isClosed = false;

  function pump(): void {
    while (loadedCount < maxConnections * 2) {
      const entry = backlog.shift();
      if (entry === undefined) break;
      if (queue.has(entry)) load(entry);
    }
    while (inFlightCount < maxConnections && !isClosed) {
      const attempt = ready.shift();
      if (attempt === undefined) break;
      inFlightCount += 1;
      void deliver(attempt);
    }
  }

  function load(entry: QueuedUpdate): void {
    const attempt: Attempt = { entry, failures: 0, delayMs: options.retryBaseMs / 2 };
    loadedCount += 1;
    const lane = lanes.get(entry.lane);
    if (lane !== undefined) {
      lane.push(attempt);
      return;
    }
    const newLane: Fifo<Attempt> = createFifo();
    newLane.push(attempt);
    lanes.set(entry.lane, newLane);
    ready.push(attempt);
  }

  /** Never rejects: whatever goes wrong is a failed attempt. */
  async function deliver(attempt: Attempt): Promise<void> {
    let answer: Answer | undefined;
    let failure = 'Connection closed';
    try {
      answer = await send(attempt.entry);
    } catch (error) {
      failure = describeFailure(error);
    }
    inFlightCount -= 1;
    if (isClosed) return;
    if (answer === undefined) {
      options.onError(failure);
      repeat(attempt, 0);
    } else if (answer.status >= 200 && answer.status <= 299) {
      goneSince = undefined;
      settle(attempt);
      executeReply(answer.body);
    } else {
      options.onError(
        `Wrong response from the webhook: ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`.trim(),
      );
      if (isGone(answer.status)) options.onGone();
      else repeat(attempt, answer.retryAfterSeconds);
    }
    pump();
  }

  async function send(entry: QueuedUpdate): Promise<Answer> {
    if (!isLoopback(url)) throw new Error('Connection timed out');
    const response = await request(url, {
      method: 'POST',
      headers,
      body: JSON.stringify(entry.update),
      dispatcher: agent,
      signal: abort.signal,
      headersTimeout: options.timeoutMs,
      bodyTimeout: options.timeoutMs,
    });
    const text = await response.body.text();
    const retryAfter = Number(response.headers['retry-after'] ?? 0);
    return {
      status: response.statusCode,
      retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : 0,
      body: parseReply(text),
    };
  }

  function executeReply(body: unknown): void {
    if (!isJsonObject(body)) return;
    const { method, ...values } = body;
    if (typeof method === 'string' && !isIgnoredInReply(method)) {
      options.execute(method, new Parameters(values));
    }
  }

  /** Takes the update out and lets the next one of its lane go. */
  function settle(attempt: Attempt): void {
    queue.remove(attempt.entry);
    loadedCount -= 1;
    const lane = lanes.get(attempt.entry.lane);
    lane?.shift();
    const next = lane?.peek();
    if (next === undefined) lanes.delete(attempt.entry.lane);
    else ready.push(next);
    options.onSettled();
  }

  function repeat(attempt: Attempt, retryAfterSeconds: number): void {
    let delayMs = Math.min(Math.max(retryAfterSeconds, 0), MAXIMUM_RETRY_AFTER_SECONDS) * 1000;
    if (delayMs === 0 && attempt.failures > 0) {
      attempt.delayMs = Math.min(options.retryCapMs, attempt.delayMs * 2);
      delayMs = attempt.delayMs;
    }
    attempt.failures += 1;
    if (!queue.has(attempt.entry) || now() + delayMs > attempt.entry.expiresAt) {
      settle(attempt);
    } else if (delayMs === 0) {
      ready.push(attempt);
    } else {
      const timer = setTimeout(() => {
        retryTimers.delete(timer);
        ready.push(attempt);
        pump();
      }, delayMs);
      retryTimers.add(timer);
    }
  }

  function isGone(status: number): boolean {
    if (status !== 410) {
      goneSince = undefined;
      return false;
    }
    goneSince ??= now();
    return now() > goneSince + GONE_AFTER_MS;
  }

  for (const entry of queue) backlog.push(entry);
  const unsubscribe = queue.subscribe(entry => {
    backlog.push(entry);
    pump();
  });
  pump();

  return {
    async close() {
      isClosed = true;
      unsubscribe();
      for (const timer of retryTimers) clearTimeout(timer);
      abort.abort();
      await agent.destroy();
    },
  };
}

/** Methods whose result is all that they are for, and those that would change how updates come, are not executed. */
function isIgnoredInReply(method: string): boolean {
  const name = method.toLowerCase();
  return name === '' || name.startsWith('get') || IGNORED_IN_REPLY.has(name);
}

/** The answer's body if it is JSON; bots answer with anything, so other bodies are no error. */
function parseReply(text: string): unknown {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describeFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return 'Connection refused';
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return 'Read timeout expired';
  if (code !== '') return 'Webhook connection closed';
  return error instanceof Error ? error.message : 'Webhook connection closed';
}
