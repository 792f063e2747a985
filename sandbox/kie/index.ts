// A stand-in for KIE.ai that speaks its wire format over real HTTP on a loopback port: orders of every model in
// the three families of its API, task states that move on with time, signed callbacks, credits, uploads and real
// media files. Anything that can go wrong with KIE can be asked for. It knows nothing of the bot and shares no
// code or data with its client, so that the two check each other.
import { randomBytes } from 'node:crypto';
import { type CallbackDelivery, createCallbackSender } from './callbacks.ts';
import type { Family } from './family.ts';
import { createFaultQueue, type KieFault } from './faults.ts';
import { createInputFiles } from './input-files.ts';
import { createMarketFamily } from './market.ts';
import { type ApiFamily, readModels } from './models.ts';
import { createRateLimiter, type RateLimit } from './rate-limit.ts';
import { readResultFiles } from './result-files.ts';
import { createKieServer } from './server.ts';
import { createSunoFamily, type SunoStep } from './suno.ts';
import { createTaskStore, type KieTask } from './tasks.ts';
import { createUploadStore, type KieUpload } from './upload-store.ts';
import { createVeoFamily } from './veo.ts';

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
  /** How long a task stays in each of its three states before the last; `manual` leaves it to advance(). 300 by default. */
  readonly stepMs?: number | 'manual';
  /** Pause between the tries of a callback; 200 by default. */
  readonly callbackRetryDelayMs?: number;
  /** Which of Suno's callbacks are sent when a task goes well; all three by default. */
  readonly sunoSteps?: readonly SunoStep[];
  /** Orders above it are answered with 429 and dropped; no limit by default. */
  readonly rateLimit?: RateLimit;
  /** The largest upload that is taken, and what all uploads may hold together; 64 MiB by default. */
  readonly uploadLimitBytes?: number;
}

export interface KieSandbox {
  readonly apiUrl: string;
  /** The base of the upload endpoints, which have a host of their own at KIE. */
  readonly uploadUrl: string;
  readonly apiKey: string;
  readonly webhookHmacKey: string | undefined;
  /** The next `times` (1) occasions for this fault go wrong; faults of different places combine. */
  failNext(fault: KieFault, times?: number): void;
  /** How many occasions have gone wrong so far. */
  readonly faultsStruck: number;
  /** From now on nothing fails that was to; tasks keep what they were given when they were created. */
  clearFaults(): void;
  /** Moves all unfinished tasks `steps` (1) states on; resolves when their callbacks are delivered or given up. */
  advance(steps?: number): Promise<void>;
  /** All orders that were taken, of each family, from the oldest to the newest. */
  tasks(): readonly KieTask[];
  createdCount(): number;
  /** What has been uploaded and is not forgotten yet. */
  uploads(): readonly KieUpload[];
  credits(): number;
  setCredits(credits: number): void;
  /** From now on result files are said to be at this origin, such as a proxy's before `apiUrl`. */
  offerFilesAt(origin: string): void;
  /** Every try to deliver a callback that has ended. */
  callbacks(): readonly CallbackDelivery[];
  callbacksSettled(): Promise<void>;
  /** What a callback of this task says now. Throws for an unknown task. */
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
  const { uploadLimitBytes = 64 * 1024 * 1024, sunoSteps = ['text', 'first', 'complete'] } = options;
  const apiKey = options.apiKey ?? `kie-sandbox-${randomBytes(12).toString('hex')}`;
  const [models, files] = await Promise.all([readModels(), readResultFiles()]);
  let credits = options.credits ?? 1000;
  let apiUrl = '';
  let fileOrigin: string | undefined;
  let stopped: Promise<void> | undefined;

  const fileUrl = (name: string): string => `${fileOrigin ?? apiUrl}/files/${name}`;
  const families: Readonly<Record<ApiFamily, Family>> = {
    market: createMarketFamily(fileUrl),
    veo: createVeoFamily(fileUrl),
    suno: createSunoFamily(fileUrl, sunoSteps),
  };
  const familyOf = (api: ApiFamily): Family => families[api];
  const faults = createFaultQueue();
  const inputFiles = createInputFiles();
  const uploads = createUploadStore(uploadLimitBytes);
  const callbacks = createCallbackSender({
    webhookHmacKey,
    now,
    retryDelayMs: options.callbackRetryDelayMs ?? 200,
  });
  const tasks = createTaskStore({
    now,
    stepMs,
    stateOf: ({ api, stage, outcomeFault }) => familyOf(api).stateOf(stage, outcomeFault?.does),
    onMove: callBack,
  });

  function callBack(task: KieTask): void {
    const fault = task.callbackFault?.does;
    const family = familyOf(task.api);
    if (task.callBackUrl === undefined || fault === 'never' || !family.callsBackNow(task)) return;
    void callbacks.deliver({
      taskId: task.taskId,
      url: task.callBackUrl,
      body: family.callbackBody(task),
      forged: fault === 'forge',
      times: fault === 'twice' ? 2 : 1,
    });
  }

  function spend(price: number): boolean {
    if (credits < price) return false;
    // Credits have decimals; rounding keeps 1000 - 0.8 from becoming 999.2000000000001.
    credits = Math.round((credits - price) * 10_000) / 10_000;
    return true;
  }

  const server = createKieServer({
    apiKey,
    credits: () => credits,
    generation: {
      families: Object.values(families),
      models,
      faults,
      tasks,
      inputFiles,
      admit: createRateLimiter(options.rateLimit, now),
      spend,
      callbacksSettled: callbacks.settled,
    },
    results: { tasks, familyOf, files },
    uploads: { faults, uploads, inputFiles, limitBytes: uploadLimitBytes, now, baseUrl: () => apiUrl },
  });
  apiUrl = await server.listen({ host: '127.0.0.1', port: 0 });

  async function stopAll(): Promise<void> {
    tasks.stop();
    await callbacks.stop();
    await inputFiles.stop();
    await server.close();
  }

  return {
    apiUrl,
    uploadUrl: apiUrl,
    apiKey,
    webhookHmacKey,
    failNext: (fault, times = 1) => faults.add(fault, times),
    get faultsStruck() {
      return faults.struck;
    },
    clearFaults: faults.clear,
    async advance(steps = 1) {
      for (let step = 0; step < steps; step++) tasks.advance();
      await callbacks.settled();
    },
    tasks: () => tasks.all().map(task => ({ ...task })),
    createdCount: () => tasks.all().length,
    uploads: uploads.all,
    credits: () => credits,
    setCredits(value) {
      credits = value;
    },
    offerFilesAt(origin) {
      fileOrigin = origin;
    },
    callbacks: callbacks.deliveries,
    callbacksSettled: () => callbacks.settled(),
    callbackBody(taskId) {
      const task = tasks.find(taskId);
      if (!task) throw new Error(`The KIE stand-in has no task ${taskId}`);
      return familyOf(task.api).callbackBody(task);
    },
    signatureHeaders: callbacks.signatureHeaders,
    forgeCallback: callbacks.post,
    stop() {
      stopped ??= stopAll();
      return stopped;
    },
  };
}
