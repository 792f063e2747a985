// The pipeline without Telegram: a real database, a client of KIE.ai before a host that answers as the test says, and a
// user who takes whatever is delivered. Jobs are worked here, in the order in which they become due, so that a task
// without a next look is noticed. `await using given = await openPipeline()` stops everything.
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { createWallet } from '../../src/billing/wallet.ts';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import type { FormValues } from '../../src/catalogue/values.ts';
import { createKieClient } from '../../src/kie/client.ts';
import type { InputFiles } from '../../src/pipeline/input-files.ts';
import { createPipeline, type Pipeline } from '../../src/pipeline/pipeline.ts';
import type { ProgressBoard } from '../../src/pipeline/ports.ts';
import type { Sent } from '../../src/pipeline/sender.ts';
import type { Stages } from '../../src/pipeline/stages.ts';
import type { PipelineTimings } from '../../src/pipeline/timings.ts';
import { Secret } from '../../src/secret.ts';
import { type CallbackStore, createCallbackStore } from '../../src/storage/callback-store.ts';
import { createDeliveryStore, type DeliveryKind } from '../../src/storage/delivery-store.ts';
import { createTaskStore, type TaskStore } from '../../src/storage/task-store.ts';
import { type ScriptedHost, startScriptedHost } from '../kie/scripted-host.ts';
import { quickTimings } from './bot.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { takeLease } from './lease.ts';
import { patienceMs } from './patience.ts';
import { type RecordedTelemetry, recordTelemetry } from './telemetry.ts';

export interface PipelineUnderTest extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly pipeline: Pipeline;
  readonly tasks: TaskStore;
  readonly callbacks: CallbackStore;
  readonly api: ScriptedHost;
  readonly files: ScriptedHost;
  readonly recorded: RecordedTelemetry;
  /** What administrators were called for. */
  readonly alarms: readonly string[];
  /** Tasks whose message was made to say that the result is there. */
  readonly closed: readonly string[];
  /** What the user was sent, by task. */
  sent(taskId: string): readonly DeliveryKind[];
  /** A paid order of this model; resolves with the task's id. */
  order(modelId: string, values: FormValues): Promise<string>;
  /** Works the jobs until the task has ended and nothing is owed. Fails when an open task has no next look. */
  settle(taskId: string): Promise<void>;
  /** Works the jobs until the task is as wanted and nothing is owed. Fails when it has no next look before. */
  settleUntil(taskId: string, isWanted: (end: TaskEnd) => boolean): Promise<void>;
  /** Works what is due now, of all tasks. */
  workDue(): Promise<void>;
  /** How the task ended, and its money. */
  endOf(taskId: string): Promise<TaskEnd>;
}

export interface TaskEnd {
  readonly state: string;
  readonly reason_code: string | null;
  /** Moves that ended the hold. */
  readonly settlements: number;
  /** What the user has reserved now, for all tasks. */
  readonly held: number;
}

export interface PipelineTestOptions {
  readonly timings?: Partial<PipelineTimings>;
  readonly inputFiles?: InputFiles;
  readonly board?: ProgressBoard;
  readonly stages?: Stages;
  /** Of each look-up, upload and probe with its repetitions. */
  readonly timeoutMs?: number;
  /** Of an order, which is never repeated: what is not answered by then may have been taken. */
  readonly submitTimeoutMs?: number;
}

const price = 80;

export async function openPipeline(options: PipelineTestOptions = {}): Promise<PipelineUnderTest> {
  const timings: PipelineTimings = { ...quickTimings, ...options.timings };
  const testDatabase = await createTestDatabase();
  const database = testDatabase.connect(4);
  const lease = await takeLease(database);
  const api = await startScriptedHost();
  const files = await startScriptedHost();
  const recorded = recordTelemetry();
  const { telemetry } = recorded;
  const timeoutMs = options.timeoutMs ?? 300;
  const kie = createKieClient({
    apiUrl: api.url,
    uploadUrl: files.url,
    apiKey: new Secret('key-of-the-test'),
    telemetry,
    timeoutMs,
    uploadTimeoutMs: timeoutMs,
    submitTimeoutMs: options.submitTimeoutMs ?? patienceMs,
    // What is tried here are single answers, not a host that is down.
    breaker: { failuresToOpen: Number.MAX_SAFE_INTEGER },
  });
  const tasks = createTaskStore(database, lease);
  const callbacks = createCallbackStore(database);
  const wallet = createWallet(lease);
  const catalogue = createCatalogue();
  const alarms: string[] = [];
  const closed: string[] = [];
  const sent = new Map<string, DeliveryKind[]>();
  let messageId = 0;
  const pipeline = createPipeline({
    database,
    tasks,
    callbacks,
    deliveries: createDeliveryStore({ database, lease, instanceId: 'test' }),
    wallet,
    catalogue,
    kie,
    inputFiles: options.inputFiles ?? {
      open: async () => ({
        content: new Blob(['123']),
        mimeType: 'image/png',
        [Symbol.asyncDispose]: async () => undefined,
      }),
    },
    sender: {
      async *send(task, claim) {
        yield claim.rows.map(row => {
          sent.set(task.id, [...(sent.get(task.id) ?? []), row.kind]);
          messageId += 1;
          const result: Sent = { ok: true, messageId, fileId: undefined, detail: undefined };
          return { row, result };
        });
      },
      close: async task => void closed.push(task.id),
    },
    board: options.board ?? { show: async () => 'shown' },
    alarm: {
      accountRefused: async detail => void alarms.push(detail),
      modelSwitchedOff: async modelId => void alarms.push(modelId),
      diskRefused: async detail => void alarms.push(detail),
      givenUp: async detail => void alarms.push(detail),
    },
    offer: { switchOff: async () => undefined },
    ...(options.stages ? { stages: options.stages } : {}),
    telemetry,
    timings,
    callbackUrl: token => `http://127.0.0.1:1/callbacks/kie/${token}`,
  });
  await database.query(`insert into users (chat_id, language) values (1, 'en')`);
  await database.transaction(transaction =>
    wallet.topUp(transaction, { chatId: 1, amount: 1_000_000_000, ref: 'test' }),
  );

  async function workDue(): Promise<void> {
    const due = await testDatabase.query<{ task: string }>(
      `delete from graphile_worker._private_jobs where run_at <= now() returning payload->>'task' as task`,
    );
    await Promise.all(due.map(({ task }) => pipeline.advance(task)));
  }

  const given: PipelineUnderTest = {
    database: testDatabase,
    pipeline,
    tasks,
    callbacks,
    api,
    files,
    recorded,
    alarms,
    closed,
    sent: taskId => sent.get(taskId) ?? [],
    async order(modelId, values) {
      const model = catalogue.byId(modelId) ?? expect.fail(`there is no model ${modelId}`);
      const form = { model: model.key, draft: randomBytes(6).toString('hex'), revision: 1, values };
      const quote = { kopecks: price, credits: 0.8, rates: {}, version: model.version };
      // SAFETY: an order reads of a form its draft, revision and values, and of a quote what is here.
      const order = { chatId: 1, form, model, quote, messageId: 7 } as unknown as Parameters<
        Pipeline['confirm']
      >[0];
      const confirmation = await pipeline.confirm(order);
      if (!confirmation.ok) expect.fail('the wallet is empty');
      await pipeline.start(confirmation.id);
      return confirmation.id;
    },
    workDue,
    settle: taskId => given.settleUntil(taskId, ({ state }) => state === 'succeeded' || state === 'failed'),
    async settleUntil(taskId, isWanted) {
      const endsAt = performance.now() + patienceMs;
      for (;;) {
        await workDue();
        const [row] = await testDatabase.query<{ owed: boolean; planned: boolean }>(
          `select exists (select 1 from deliveries where task_id = $1 and finished_at is null) as owed,
             exists (select 1 from graphile_worker.jobs where key in ('task:' || $1, 'callback:' || $1)) as planned`,
          [taskId],
        );
        if (isWanted(await given.endOf(taskId)) && !row?.owed) return;
        if (!row?.planned) expect.fail('the task has not ended, and nobody will look at it');
        if (performance.now() > endsAt) expect.fail(`the task does not end: ${recorded.output.join('\n')}`);
        await new Promise(resolve => setTimeout(resolve, 5));
      }
    },
    async endOf(taskId) {
      const [end] = await testDatabase.query<TaskEnd & Record<string, unknown>>(
        `select state, reason_code,
           (select count(*)::int from ledger where task_id = $1 and kind in ('charge', 'release')) as settlements,
           (select held::int from wallets where chat_id = 1) as held
         from tasks where id = $1`,
        [taskId],
      );
      return end ?? expect.fail('there is no such task');
    },
    async [Symbol.asyncDispose]() {
      // Hosts first: one that still holds a call must not keep the client open.
      await Promise.all([api.stop(), files.stop()]);
      await kie.close();
      await database.stop();
      await testDatabase.drop();
    },
  };
  return given;
}
