// The callbacks of the KIE stand-in: signs and posts them as KIE does (three tries, 15 s for an answer)
// and keeps what was sent, so that a test can look at it or send it again. Posts to loopback only.
import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';

export interface CallbackDelivery {
  readonly taskId: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** From 1 to 3. */
  readonly attempt: number;
  /** HTTP status of the answer; undefined when there was none. */
  readonly status: number | undefined;
}

export interface CallbackOptions {
  /** Without it callbacks are not signed, as with an account that never made a key. */
  readonly webhookHmacKey: string | undefined;
  readonly now: () => number;
  readonly retryDelayMs: number;
}

interface CallbackJob {
  readonly taskId: string;
  readonly url: string;
  readonly body: unknown;
  /** Signed with another key. */
  readonly forged: boolean;
  /** Sent so many times although the first was taken. */
  readonly times: number;
}

export interface CallbackSender {
  /** Callbacks of one task go one after the other. Resolves when this one was taken or given up. Never rejects. */
  deliver(job: CallbackJob): Promise<void>;
  /** The headers that prove a callback of this task. Empty without a key. */
  signatureHeaders(taskId: string, timestampSeconds?: number): Record<string, string>;
  /** Posts anything anywhere on this machine, once. Rejects when nobody answers. */
  post(url: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<{ status: number }>;
  /** Every try that ended, in that order. */
  deliveries(): readonly CallbackDelivery[];
  /** Resolves when nothing is being delivered, of this task or of any. */
  settled(taskId?: string): Promise<void>;
  stop(): Promise<void>;
}

const maximumAttempts = 3;
const answerTimeoutMs = 15_000;

export function createCallbackSender(options: CallbackOptions): CallbackSender {
  const { now, retryDelayMs } = options;
  const agent = new Agent();
  const stopping = new AbortController();
  /** The last delivery of each task that has one under way. */
  const pending = new Map<string, Promise<void>>();
  const ended: CallbackDelivery[] = [];

  const nowSeconds = (): number => Math.floor(now() / 1000);

  function signatureHeaders(key: string | undefined, taskId: string, timestampSeconds: number) {
    if (key === undefined) return {};
    const timestamp = String(timestampSeconds);
    const signature = createHmac('sha256', key).update(`${taskId}.${timestamp}`).digest('base64');
    return { 'X-Webhook-Timestamp': timestamp, 'X-Webhook-Signature': signature };
  }

  async function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    if (!isLoopbackUrl(url)) throw new Error('The KIE stand-in posts to loopback addresses only');
    const response = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      dispatcher: agent,
      signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(answerTimeoutMs)]),
    });
    await response.body.dump();
    return { status: response.statusCode };
  }

  async function deliverOnce({ taskId, url, body, forged }: CallbackJob): Promise<void> {
    const key = forged ? `not ${options.webhookHmacKey ?? 'a key'}` : options.webhookHmacKey;
    for (let attempt = 1; attempt <= maximumAttempts && !stopping.signal.aborted; attempt++) {
      const headers = signatureHeaders(key, taskId, nowSeconds());
      // A failed try is data here, not an error: it stands in the list of deliveries.
      const status = await post(url, body, headers).then(
        answer => answer.status,
        () => undefined,
      );
      ended.push({ taskId, url, headers, body, attempt, status });
      if (status !== undefined && status >= 200 && status < 300) return;
      if (attempt < maximumAttempts)
        await delay(retryDelayMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  async function deliverAll(job: CallbackJob): Promise<void> {
    for (let time = 0; time < job.times; time++) await deliverOnce(job);
  }

  return {
    deliver(job) {
      const before = pending.get(job.taskId) ?? Promise.resolve();
      const delivery = before
        .then(() => deliverAll(job))
        .finally(() => {
          if (pending.get(job.taskId) === delivery) pending.delete(job.taskId);
        });
      pending.set(job.taskId, delivery);
      return delivery;
    },
    signatureHeaders: (taskId, timestampSeconds = nowSeconds()) =>
      signatureHeaders(options.webhookHmacKey, taskId, timestampSeconds),
    post,
    deliveries: () => [...ended],
    async settled(taskId) {
      if (taskId !== undefined) return pending.get(taskId);
      while (pending.size > 0) await Promise.all(pending.values());
    },
    async stop() {
      stopping.abort();
      await Promise.all(pending.values());
      await agent.destroy();
    },
  };
}

export function isLoopbackUrl(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
}
