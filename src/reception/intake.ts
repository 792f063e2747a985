// The entrance of updates, the same for webhook and polling: opens the root span of the trace that will
// carry everything this update leads to, and stores the update before anybody acknowledges it.
import { SpanKind } from '@opentelemetry/api';
import { AppError } from '../errors.ts';
import type { Inbox } from '../inbox/inbox.ts';
import type { InboxDepth } from '../inbox/inbox-depth.ts';
import { cidOfTraceparent } from '../otel/propagation.ts';
import type { Pseudonyms } from '../otel/pseudonyms.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { UpdateStore } from '../storage/update-store.ts';
import { type IncomingUpdate, pseudonymsOf } from '../telegram/incoming.ts';
import type { Reception } from './reception.ts';

export interface Intake {
  /**
   * Resolves when the update is durable, or was known, to whether it takes a place in the inbox. Rejects when it could
   * not be stored. `body` is the JSON text as it arrived; `receivedAt` is in epoch milliseconds.
   */
  take(update: IncomingUpdate, body: string, receivedAt: number): Promise<boolean>;
}

export interface IntakeOptions {
  readonly inbox: Inbox;
  readonly reception: Reception;
  readonly depth: Pick<InboxDepth, 'unfinished'>;
  readonly store: UpdateStore;
  readonly telemetry: Telemetry;
  readonly pseudonyms: Pseudonyms;
  /** SERVER behind a webhook, CONSUMER when polling. */
  readonly spanKind: SpanKind;
}

/** Telegram, and what is in between, give up later than this. What is stored after it is a duplicate when it comes again. */
const storeLimitMs = 10_000;

export function createIntake(options: IntakeOptions): Intake {
  const { inbox, reception, depth, store, telemetry, pseudonyms, spanKind } = options;
  return {
    take: (update, body, receivedAt) =>
      telemetry.inSpan(
        `update ${update.eventType}`,
        {
          kind: spanKind,
          root: true,
          startTime: receivedAt,
          ...(spanKind === SpanKind.SERVER
            ? { attributes: { 'http.request.method': 'POST', 'http.route': '/webhook' } }
            : {}),
          fields: {
            event_type: update.eventType,
            update_id: update.updateId,
            ...pseudonymsOf(update, pseudonyms),
          },
        },
        async () => {
          telemetry.emit('UPDATE_RECEIVED', {
            update_id: update.updateId,
            event_type: update.eventType,
            callback_id: update.callbackId,
          });
          reception.received(update);
          const stored = inbox.store(
            {
              updateId: update.updateId,
              lane: update.lane,
              messageId: update.messageId,
              eventType: update.eventType,
              body,
              traceparent: telemetry.traceparent(),
              refusal: reception.refusalOf(update),
              isLimited: update.isLimited,
            },
            async ({ isNew, refusal }) => {
              if (!isNew) {
                const known = await store.known(update.updateId);
                telemetry.emit('UPDATE_DUPLICATE', {
                  original_cid: known ? cidOfTraceparent(known.traceparent) : 'unknown',
                });
                if (known) await reception.storedBefore(update, known);
                return;
              }
              if (!refusal)
                telemetry.emit('QUEUE_ENQUEUE', {
                  latency_ms: Date.now() - receivedAt,
                  queue_depth: depth.unfinished(),
                });
              reception.stored(update, { refusal, receivedAt });
            },
          );
          try {
            return await within(storeLimitMs, stored);
          } catch (error) {
            // Whoever asks for this cid must find why the sender was refused.
            telemetry.annotate({ result: 'failed', reason_code: 'DB_ERROR' });
            telemetry.warn('store update', error, 'DB_ERROR');
            throw error;
          }
        },
      ),
  };
}

/** Rejects with AppError TIMEOUT when it takes longer; what was begun goes on. */
async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new AppError({ code: 'TIMEOUT', message: `It was not stored within ${limitMs} ms` })),
      limitMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
