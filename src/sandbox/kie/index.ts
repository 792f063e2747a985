// A stand-in for KIE.ai's Market API that speaks its wire format over real HTTP on a loopback port:
// orders, task states that move on with time, signed callbacks, credits and real picture files. Anything
// that can go wrong with KIE can be asked for. It knows nothing of the bot and shares no code with its
// client, so that the two check each other.
import { randomBytes } from 'node:crypto';
import fastify from 'fastify';
import { type CallbackDelivery, createCallbackSender } from './callbacks.ts';
import { createFaultQueue, type KieFault } from './faults.ts';
import { addKieRoutes } from './routes.ts';
import { createTaskStore, type KieTask } from './tasks.ts';

export type { KieFault } from './faults.ts';

export interface KieSandboxOptions {
  /** Random by default. */
  readonly apiKey?: string;
  /** Callbacks are signed only when it is given. */
  readonly webhookHmacKey?: string;
  /** What the account holds at the start; 1000 by default. */
  readonly credits?: number;
  /** Unix milliseconds, for the times in records and signatures. */
  readonly now?: () => number;
  /** How long a task stays in each of its three states; `manual` leaves it to advance(). 300 by default. */
  readonly stepMs?: number | 'manual';
  /** Pause between the tries of a callback; 200 by default. */
  readonly callbackRetryDelayMs?: number;
}

export interface KieSandbox {
  readonly apiUrl: string;
  readonly apiKey: string;
  readonly webhookHmacKey: string | undefined;
  /** The next `times` (1) occasions for this fault go wrong; faults of different places combine. */
  failNext(fault: KieFault, times?: number): void;
  /** Moves all unfinished tasks `steps` (1) states on; resolves when their callbacks are delivered or given up. */
  advance(steps?: number): Promise<void>;
  tasks(): readonly KieTask[];
  createdCount(): number;
  credits(): number;
  setCredits(credits: number): void;
  /** Every try to deliver a callback that has ended. */
  callbacks(): readonly CallbackDelivery[];
  callbacksSettled(): Promise<void>;
  /** What the callback of this task says now. Throws for an unknown task. */
  callbackBody(taskId: string): Readonly<Record<string, unknown>>;
  /** Valid proof for a task; empty without a webhookHmacKey. */
  signatureHeaders(taskId: string, timestampSeconds?: number): Record<string, string>;
  /** Posts a body that KIE never sent, to a loopback URL; a string goes as it is. */
  forgeCallback(
    url: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ status: number }>;
  /** Ends timers, deliveries and connections. Later calls get the same promise. */
  stop(): Promise<void>;
}

export async function startKieSandbox(options: KieSandboxOptions = {}): Promise<KieSandbox> {
  const { now = Date.now, stepMs = 300, webhookHmacKey } = options;
  const apiKey = options.apiKey ?? `kie-sandbox-${randomBytes(12).toString('hex')}`;
  let credits = options.credits ?? 1000;
  let apiUrl = '';
  let stopped: Promise<void> | undefined;

  const faults = createFaultQueue();
  const callbacks = createCallbackSender({
    webhookHmacKey,
    now,
    retryDelayMs: options.callbackRetryDelayMs ?? 200,
  });
  const tasks = createTaskStore({
    now,
    stepMs,
    fileUrl: taskId => `${apiUrl}/files/${taskId}.png`,
    onEnd: task => void callBack(task),
  });

  function callbackBody(task: KieTask): Readonly<Record<string, unknown>> {
    const data = tasks.record(task);
    return task.state === 'success'
      ? { code: 200, msg: 'Playground task completed successfully.', data }
      : { code: 501, msg: 'Playground task failed.', data };
  }

  async function callBack(task: KieTask): Promise<void> {
    const fault = task.callbackFault?.does;
    // A fault can keep a task from ending even when its callback was to be early.
    if (task.callBackUrl === undefined || task.completeTime === undefined || fault === 'never') return;
    await callbacks.deliver({
      taskId: task.taskId,
      url: task.callBackUrl,
      body: callbackBody(task),
      forged: fault === 'forge',
      times: fault === 'twice' ? 2 : 1,
    });
  }

  const server = fastify({ forceCloseConnections: true });
  addKieRoutes(server, {
    apiKey,
    faults,
    tasks,
    callBack,
    credits: () => credits,
    spend(price) {
      if (credits < price) return false;
      // Credits have decimals; rounding keeps 1000 - 0.8 from becoming 999.2000000000001.
      credits = Math.round((credits - price) * 10_000) / 10_000;
      return true;
    },
  });
  apiUrl = await server.listen({ host: '127.0.0.1', port: 0 });

  async function stopAll(): Promise<void> {
    tasks.stop();
    await callbacks.stop();
    await server.close();
  }

  return {
    apiUrl,
    apiKey,
    webhookHmacKey,
    failNext: (fault, times = 1) => faults.add(fault, times),
    async advance(steps = 1) {
      for (let step = 0; step < steps; step++) tasks.advance();
      await callbacks.settled();
    },
    tasks: () => tasks.all().map(task => ({ ...task })),
    createdCount: () => tasks.all().length,
    credits: () => credits,
    setCredits(value) {
      credits = value;
    },
    callbacks: callbacks.deliveries,
    callbacksSettled: callbacks.settled,
    callbackBody(taskId) {
      const task = tasks.find(taskId);
      if (!task) throw new Error(`The KIE stand-in has no task ${taskId}`);
      return callbackBody(task);
    },
    signatureHeaders: callbacks.signatureHeaders,
    forgeCallback: callbacks.post,
    stop() {
      stopped ??= stopAll();
      return stopped;
    },
  };
}
