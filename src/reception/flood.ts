// What becomes of an update of a chat that has its share of the inbox: it is stored with its outcome already. Here the
// last events of its chain are emitted, its tap is answered, and once a minute its user is notified that messages were
// left out. Telegram may let nothing through to a chat that floods, so only a few of its answers are under way at a time.
// The others wait for as long as there is a spinner to end; an event says which were not sent.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from 'grammy';
import type { Pseudonyms } from '../otel/pseudonyms.ts';
import { reasons, reasonText } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { createPlaces } from '../pipeline/places.ts';
import type { Background } from '../telegram/background.ts';
import { withDeadline } from '../telegram/call-deadline.ts';
import { type IncomingUpdate, privateChatOf, pseudonymsOf } from '../telegram/incoming.ts';
import { refusedBy } from '../telegram/refusal.ts';
import { createThrottle } from '../telegram/throttle.ts';
import { buttonIdOf } from '../ui/codec.ts';
import type { Texts } from '../ui/texts.ts';

export interface Flood {
  /**
   * For an update that was stored as refused with RATE_LIMIT: emits its last events, and notifies its user in the
   * background. Must be called in the span of the update. `receivedAt` is in epoch milliseconds.
   */
  refuse(update: IncomingUpdate, receivedAt: number): void;
  /** For one whose last events were emitted already: notifies its user. */
  answer(update: IncomingUpdate): void;
  /** Tries no notice again. */
  stop(): void;
}

export interface FloodOptions {
  readonly api: Api;
  readonly texts: Texts;
  readonly telemetry: Telemetry;
  readonly pseudonyms: Pseudonyms;
  readonly background: Background;
  /** How many updates of a chat may wait. */
  readonly chatMax: number;
}

/** Answers under way, of all chats that flood and of each: the rest of the connections is for those who wait in turn. */
const answersAtOnce = { places: 200, perKey: 3 };
/** Telegram ends a spinner by itself at about the end of both. */
const placeLimitMs = 10_000;
const answerLimitMs = 5_000;
const noticeIntervalMs = 60_000;
/** A chat that may not be written to for longer is notified at a later message. */
const longestWaitMs = 60_000;
const noticeAttempts = 3;
/** Chats that are remembered as notified. */
const noticedChats = 10_000;

export function createFlood(options: FloodOptions): Flood {
  const { api, texts, telemetry, pseudonyms, background, chatMax } = options;
  const notices = createThrottle({ intervalMs: noticeIntervalMs, capacity: noticedChats });
  const answers = createPlaces(answersAtOnce);
  const ending = new AbortController();

  function answerTap(update: IncomingUpdate): void {
    const traceparent = telemetry.traceparent();
    const fields = {
      event_type: update.eventType,
      update_id: update.updateId,
      ...pseudonymsOf(update, pseudonyms),
      reason_code: 'RATE_LIMIT',
    } as const;
    background.start('answer a refused tap', async () => {
      const leave = await answers.wait(String(update.lane), placeLimitMs);
      try {
        await telemetry.inSpan('answer refused update', { traceparent, fields }, () =>
          leave ? sendAnswer(update) : emitUnsent(),
        );
      } finally {
        leave?.();
      }
    });
  }

  async function emitUnsent(): Promise<void> {
    telemetry.emit('ANSWER_CALLBACK_QUERY', {
      result: 'failed',
      text: '',
      reason_detail: `not sent: no place to answer it came free within ${placeLimitMs / 1_000} s`,
    });
  }

  async function sendAnswer({ callbackId = '', locale }: IncomingUpdate): Promise<void> {
    const text = reasonText('RATE_LIMIT', locale, telemetry.cid());
    // A deadline, and no signal: a pause that Telegram asks for is then an outcome at once where it does not fit.
    const refusal = await withDeadline(answerLimitMs, () =>
      refusedBy(api.answerCallbackQuery(callbackId, { text })),
    );
    telemetry.emit('ANSWER_CALLBACK_QUERY', {
      result: refusal ? 'failed' : 'accepted',
      text,
      reason_detail: refusal?.detail,
    });
  }

  function notify(update: IncomingUpdate, chatId: number): void {
    if (!notices.admits(chatId)) return;
    background.start('tell of refused messages', () =>
      telemetry.inSpan('answer refused update', {}, async () => {
        for (let number = 1; ; number += 1) {
          const waitMs = await sendNotice(update, chatId);
          if (waitMs === undefined) return;
          // Who was not notified is notified when Telegram lets it through, or else after a later message.
          if (waitMs === 0 || waitMs > longestWaitMs || number === noticeAttempts || !(await pause(waitMs))) {
            notices.forget(chatId, waitMs);
            return;
          }
        }
      }),
    );
  }

  /** Resolves to undefined where nothing is to be tried again; else to how long that has to wait. */
  async function sendNotice({ locale }: IncomingUpdate, chatId: number): Promise<number | undefined> {
    const text = texts.for(locale)('flood-message');
    const refusal = await refusedBy(api.sendMessage(chatId, text));
    telemetry.emit('FLOOD_NOTICE', {
      result: refusal ? 'failed' : 'accepted',
      reason_code: 'RATE_LIMIT',
      text,
      reason_detail: refusal?.detail,
    });
    return refusal?.retry ? (refusal.retryAfterMs ?? 0) : undefined;
  }

  /** False when it was cut short. */
  async function pause(ms: number): Promise<boolean> {
    return sleep(ms, true, { signal: ending.signal }).catch(() => false);
  }

  function notifyUser(update: IncomingUpdate): void {
    const chatId = privateChatOf(update);
    if (update.callbackId !== undefined) answerTap(update);
    else if (chatId !== undefined) notify(update, chatId);
  }

  return {
    stop: () => ending.abort(),
    answer(update) {
      telemetry.annotate({ result: 'rejected', reason_code: 'RATE_LIMIT' });
      notifyUser(update);
    },
    refuse(update, receivedAt) {
      const why = {
        reason_code: 'RATE_LIMIT',
        reason_detail: `${chatMax} updates of this chat have no outcome yet`,
      } as const;
      const text = reasons.RATE_LIMIT.meaning;
      telemetry.annotate({ result: 'rejected', reason_code: 'RATE_LIMIT' });
      if (update.callbackId !== undefined)
        telemetry.emit('CALLBACK_REJECTED', {
          ...why,
          result: 'rejected',
          reason_text: text,
          button_id: buttonIdOf(update.callbackData),
        });
      else if (update.eventType === 'command')
        telemetry.emit('COMMAND_REJECTED', { ...why, reason_text: text });
      telemetry.emit('DISPATCH_OK', {
        ...why,
        result: 'rejected',
        latency_ms: Date.now() - receivedAt,
        duration_ms: 0,
      });
      notifyUser(update);
    },
  };
}
