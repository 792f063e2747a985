// An order: a confirmed form at the price that was shown becomes a durable task, and its price is held, in one
// transaction. A draft at one revision is ordered once, however often the button is tapped.
import { randomBytes } from 'node:crypto';
import type { Quote } from '../billing/pricing.ts';
import type { Move, Wallet } from '../billing/wallet.ts';
import type { Model } from '../catalogue/schema.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Database } from '../storage/database.ts';
import type { TaskStore } from '../storage/task-store.ts';
import type { Form } from './form.ts';
import type { PipelineTimings } from './timings.ts';

export interface Order {
  readonly chatId: number;
  readonly form: Form;
  readonly model: Model;
  readonly quote: Quote;
  /** The message with the confirmation, which will show how the task goes. */
  readonly messageId: number | undefined;
}

export type Confirmation =
  | { readonly ok: true; readonly id: string }
  /** Nothing was ordered: the wallet is short of `missing` kopecks. */
  | { readonly ok: false; readonly missing: number };

export interface OrdersOptions {
  readonly database: Pick<Database, 'transaction'>;
  readonly tasks: TaskStore;
  readonly wallet: Wallet;
  readonly telemetry: Telemetry;
  readonly timings: PipelineTimings;
}

/** Undoes the transaction of an order that cannot be paid. */
class Shortage extends Error {
  readonly missing: number;

  constructor(missing: number) {
    super('The wallet does not cover the price');
    this.missing = missing;
  }
}

export function createOrders(options: OrdersOptions): (order: Order) => Promise<Confirmation> {
  const { database, tasks, wallet, telemetry, timings } = options;

  function place(order: Order): Promise<{ readonly id: string; readonly hold: Move | undefined }> {
    const { chatId, form, model, quote, messageId } = order;
    return database.transaction(async transaction => {
      const { id, created } = await tasks.create(
        transaction,
        {
          id: randomBytes(9).toString('base64url'),
          chatId,
          draft: form.draft,
          revision: form.revision,
          modelId: model.id,
          modelKey: model.key,
          modelVersion: model.version,
          values: form.values,
          quote,
          // 128 bits, in a URL path.
          callbackToken: randomBytes(16).toString('hex'),
          traceparent: telemetry.traceparent(),
          messageId,
        },
        timings.startDelayMs,
      );
      if (!created) return { id, hold: undefined };
      const hold = await wallet.hold(transaction, { chatId, task: id, amount: quote.kopecks });
      if (!hold.ok) throw new Shortage(hold.missing);
      return { id, hold };
    });
  }

  return async order => {
    try {
      const { id, hold } = await place(order);
      if (hold) {
        const ids = { task_id: id, model_id: order.model.id, model_version: order.model.version };
        telemetry.emit('TASK_CREATED', ids);
        telemetry.emit('BALANCE_HOLD', { ...ids, amount: hold.amount });
      }
      return { ok: true, id };
    } catch (error) {
      if (error instanceof Shortage) return { ok: false, missing: error.missing };
      throw error;
    }
  };
}
