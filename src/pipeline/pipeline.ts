// The life of a generation, from the confirmed form to the result that was sent, as one durable state machine:
//
//   created ──claim──▶ submitting ──vendor id──▶ waiting ──▶ succeeded | failed ──late result──▶ succeeded
//      ▲                   │ a definite refusal that may be tried again
//      └───────────────────┘
//
// Rules: `submitting` is committed before the billable call and is never submitted again without a definite
// refusal, because KIE.ai knows no idempotency key; a callback (its path names the task) or the limit ends
// it. A callback only says "look now": results come from the supplier's own record. Every step runs as a job in the
// trace of the tap that started it, may run twice, and is idempotent. A step that ends in an error of ours is counted, and
// past a limit the task is ended (failed-looks.ts). Knows nothing of Telegram and HTTP servers.
import { SpanKind } from '@opentelemetry/api';
import type { Wallet } from '../billing/wallet.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { FormValues } from '../catalogue/values.ts';
import type { KieClient } from '../kie/client.ts';
import type { SpanName } from '../otel/spans.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { isConnectionLost } from '../postgres/connection-lost.ts';
import type { CallbackStore, PendingCallback } from '../storage/callback-store.ts';
import type { Database } from '../storage/database.ts';
import type { Reopening } from '../storage/delivery-requests.ts';
import type { DeliveryStore } from '../storage/delivery-store.ts';
import type { TaskRow, TaskState } from '../storage/task-row.ts';
import type { TaskStore } from '../storage/task-store.ts';
import { createFailedLooks, isOpen } from './failed-looks.ts';
import type { InputFiles } from './input-files.ts';
import { createLooks } from './looks.ts';
import { createObservation } from './observation.ts';
import { type Confirmation, createOrders, type Order } from './orders.ts';
import { workOutbox } from './outbox.ts';
import type { Alarm, Offer, ProgressBoard } from './ports.ts';
import type { Sender } from './sender.ts';
import { createSettlement } from './settlement.ts';
import { createStages, type Stages } from './stages.ts';
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
  /** Tasks that are looked at here now; not those whose look hangs. */
  underWay(): readonly string[];
  /** What was ordered; undefined when this chat has no such task. */
  orderOf(
    taskId: string,
    chatId: number,
  ): Promise<{ readonly modelKey: string; readonly values: FormValues } | undefined>;
  /** Sends the results of a task as files; `nothing`: this chat has no such task with a result. */
  sendOriginals(taskId: string, chatId: number): Promise<Reopening>;
  /** Sends once more the files that could not be sent. */
  redeliver(taskId: string, chatId: number): Promise<Reopening>;
}

export interface PipelineOptions {
  readonly database: Pick<Database, 'transaction'>;
  readonly tasks: TaskStore;
  readonly callbacks: Pick<CallbackStore, 'pending' | 'finish'>;
  readonly deliveries: DeliveryStore;
  readonly wallet: Wallet;
  readonly catalogue: Catalogue;
  readonly kie: KieClient;
  readonly inputFiles: InputFiles;
  readonly sender: Sender;
  readonly board: ProgressBoard;
  readonly alarm: Alarm;
  readonly offer: Offer;
  /** Of the usual sizes by default. */
  readonly stages?: Stages;
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

export function createPipeline(given: PipelineOptions): Pipeline {
  const options = { stages: createStages(), ...given };
  const { tasks, deliveries, telemetry } = options;
  const settlement = createSettlement(options);
  const submission = createSubmission({ ...options, settlement });
  const observation = createObservation({
    ...options,
    settlement,
    showEndAgain: deliveries.showEndAgain,
  });
  const failures = createFailedLooks({ ...options, settlement });

  /** Resolves with whether the callbacks have led to what they can lead to. */
  async function step(task: TaskRow, callbacks: readonly PendingCallback[]): Promise<boolean> {
    if (task.unreadable !== undefined && isOpen(task))
      throw new Error(`${task.unreadable} of the task cannot be read`);
    switch (task.state) {
      case 'created':
        await submission.submit(task);
        return true;
      case 'submitting':
        await submission.awaitAnswer(task);
        return true;
      case 'waiting':
        await observation.poll(task);
        return true;
      case 'failed':
        return observation.lookForLateResult(task, callbacks);
      case 'succeeded':
        return true;
    }
  }

  /** A callback is finished after what it led to: should that fail or the process die, it is still there. */
  async function work(task: TaskRow): Promise<void> {
    const callbacks = await options.callbacks.pending(task.id);
    const isDone = await step(await observation.adopt(task, callbacks), callbacks);
    await workOutbox(task.id, options);
    if (isDone && callbacks.length > 0) await options.callbacks.finish(callbacks.map(({ id }) => id));
    if (task.failedLooks > 0) await tasks.clearFailedLooks(task.id);
  }

  async function look(taskId: string): Promise<void> {
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
        try {
          await work(task);
        } catch (error) {
          // The job is repeated when the database is back, or by whoever is in charge now.
          if (isConnectionLost(error)) throw error;
          await failures.add(task.id, error);
        }
      },
    );
  }

  const looks = createLooks({ look, schedule: tasks.schedule, telemetry, timings: options.timings });

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
    advance: looks.advance,
    underWay: looks.underWay,
    orderOf: ownTask,
    sendOriginals: (taskId, chatId) => sendAgain(taskId, chatId, deliveries.requestOriginal),
    redeliver: (taskId, chatId) => sendAgain(taskId, chatId, deliveries.redeliver),
  };
}
