// The life of a generation, from the confirmed form to the delivered result, as one durable state machine:
//
//   created ──claim──▶ submitting ──vendor id──▶ waiting ──▶ succeeded | failed ──late result──▶ succeeded
//      ▲                   │ a definite refusal that may be tried again
//      └───────────────────┘
//
// Rules: `submitting` is committed before the billable call and is never submitted again without a definite
// refusal, because KIE.ai knows no idempotency key; a callback (its path names the task) or the limit ends
// it. A callback only says "look now": results come from the supplier's own record. Every step runs as a job in the
// trace of the tap that started it, may run twice, and is idempotent. Knows nothing of Telegram and HTTP servers.
import { SpanKind } from '@opentelemetry/api';
import type { Wallet } from '../billing/wallet.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { FormValues } from '../catalogue/values.ts';
import type { KieClient } from '../kie/client.ts';
import type { SpanName } from '../otel/spans.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Database } from '../storage/database.ts';
import type { DeliveryStore, Reopening } from '../storage/delivery-store.ts';
import type { TaskRow, TaskState, TaskStore } from '../storage/task-store.ts';
import { deliverDue } from './deliver.ts';
import type { Deliverer } from './deliverer.ts';
import type { InputFiles } from './input-files.ts';
import { createObservation } from './observation.ts';
import { type Confirmation, createOrders, type Order } from './orders.ts';
import type { Alarm, Offer, ProgressBoard } from './ports.ts';
import { createSettlement } from './settlement.ts';
import { createSubmission } from './submission.ts';
import { fieldsOf } from './task-events.ts';
import type { PipelineTimings } from './timings.ts';

export interface Pipeline {
  /**
   * Makes the form a durable task and holds its price, once per draft and revision. It does not run before `start`,
   * or some seconds.
   */
  confirm(order: Order): Promise<Confirmation>;
  /** Lets a confirmed task run now. */
  start(taskId: string): Promise<void>;
  /** The job: brings the task as far as it can go now and schedules the next look. */
  advance(taskId: string): Promise<void>;
  /** What was ordered; undefined when this chat has no such task. */
  orderOf(
    taskId: string,
    chatId: number,
  ): Promise<{ readonly modelKey: string; readonly values: FormValues } | undefined>;
  /** Sends the results of a task as files; `nothing`: this chat has no such task with a result. */
  sendOriginals(taskId: string, chatId: number): Promise<Reopening>;
  /** Sends again what could not be delivered. */
  redeliver(taskId: string, chatId: number): Promise<Reopening>;
}

export interface PipelineOptions {
  readonly database: Pick<Database, 'transaction'>;
  readonly tasks: TaskStore;
  readonly deliveries: DeliveryStore;
  readonly wallet: Wallet;
  readonly catalogue: Catalogue;
  readonly kie: KieClient;
  readonly inputFiles: InputFiles;
  readonly deliverer: Deliverer;
  readonly board: ProgressBoard;
  readonly alarm: Alarm;
  readonly offer: Offer;
  readonly telemetry: Telemetry;
  readonly timings: PipelineTimings;
  /** The callback URL of a task, or undefined where the bot has no public address (polling). */
  callbackUrl(token: string): string | undefined;
}

const spanNames: Readonly<Record<TaskState, SpanName>> = {
  created: 'task submit',
  submitting: 'task poll',
  waiting: 'task poll',
  succeeded: 'task deliver',
  failed: 'task deliver',
};

export function createPipeline(options: PipelineOptions): Pipeline {
  const { tasks, deliveries, telemetry } = options;
  const settlement = createSettlement(options);
  const submission = createSubmission({ ...options, settlement });
  const observation = createObservation({ ...options, settlement });

  async function step(task: TaskRow): Promise<void> {
    switch (task.state) {
      case 'created':
        return submission.submit(task);
      case 'submitting':
        return submission.awaitAnswer(task);
      case 'waiting':
        return observation.poll(task);
      case 'failed':
        return observation.lookForLateResult(task);
      case 'succeeded':
    }
  }

  async function advance(taskId: string): Promise<void> {
    const task = await tasks.find(taskId);
    if (!task) return;
    await telemetry.inSpan(
      spanNames[task.state],
      {
        kind: SpanKind.CONSUMER,
        traceparent: task.traceparent,
        fields: { event_type: 'job', ...fieldsOf(task) },
      },
      async () => {
        await step(await observation.adoptCallbacks(task));
        await deliverDue(task.id, options);
      },
    );
  }

  /** Ids in buttons are the client's word: only the chat that ordered a task may name it. */
  async function ownTask(taskId: string, chatId: number): Promise<TaskRow | undefined> {
    const task = await tasks.find(taskId);
    return task?.chatId === chatId ? task : undefined;
  }

  async function sendAgain(
    taskId: string,
    chatId: number,
    open: (taskId: string, traceparent: string) => Promise<Reopening>,
  ): Promise<Reopening> {
    if (!(await ownTask(taskId, chatId))) return 'nothing';
    return open(taskId, telemetry.traceparent());
  }

  return {
    confirm: createOrders(options),
    start: taskId => tasks.schedule(taskId, 0),
    advance,
    orderOf: ownTask,
    sendOriginals: (taskId, chatId) => sendAgain(taskId, chatId, deliveries.requestOriginal),
    redeliver: (taskId, chatId) => sendAgain(taskId, chatId, deliveries.redeliver),
  };
}
