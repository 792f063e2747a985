// What becomes of an update of a chat that has its share of the inbox: it is stored with its outcome already, and here
// its chain is told to the end, its tap answered, and its user told of messages that were left out, once a minute. A
// chat that floods may also be one to which Telegram lets nothing through, so its answers have a bound of their own, in
// number and in time: what is above it stays unanswered, and an event says so.
import type { Api } from 'grammy';
import type { Pseudonyms } from '../otel/privacy.ts';
import { reasons, reasonText } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { buttonIdOf } from '../ui/codec.ts';
import type { Texts } from '../ui/texts.ts';
import type { Background } from './background.ts';
import { type IncomingUpdate, privateChatOf, pseudonymsOf } from './incoming.ts';
import { refusedBy } from './refusal.ts';
import { createThrottle } from './throttle.ts';

export interface Flood {
  /**
   * Tells of an update that was stored as refused with RATE_LIMIT, its user in the background. Must be called in the
   * span of the update. `receivedAt` is in epoch milliseconds.
   */
  refuse(update: IncomingUpdate, receivedAt: number): void;
  /** The same for one whose end was told: its user alone. */
  answer(update: IncomingUpdate): void;
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

/** Of one chat: answers under way, and those that wait for them. More taps in a moment are no person's. */
const answersAtOnce = 3;
const answersWaiting = 30;
/** Nobody looks at a spinner for longer. */
const answerLimitMs = 5_000;
const noticeIntervalMs = 60_000;
/** Chats that are remembered as told. */
const noticedChats = 10_000;

interface Answers {
  underWay: number;
  readonly waiting: (() => void)[];
}

export function createFlood(options: FloodOptions): Flood {
  const { api, texts, telemetry, pseudonyms, background, chatMax } = options;
  const notices = createThrottle({ intervalMs: noticeIntervalMs, capacity: noticedChats });
  /** By lane, of those that are being answered now. */
  const answers = new Map<number, Answers>();

  function answerTap(update: IncomingUpdate): void {
    const traceparent = telemetry.traceparent();
    const fields = {
      event_type: update.eventType,
      update_id: update.updateId,
      ...pseudonymsOf(update, pseudonyms),
    };
    const ofChat = answers.get(update.lane) ?? { underWay: 0, waiting: [] };
    answers.set(update.lane, ofChat);
    const end = (): void => {
      ofChat.underWay -= 1;
      const next = ofChat.waiting.shift();
      if (next) next();
      else if (ofChat.underWay === 0) answers.delete(update.lane);
    };
    const begin = (): void => {
      ofChat.underWay += 1;
      const isStarted = background.start('answer a refused tap', () =>
        telemetry
          .inSpan('answer refused update', { traceparent, fields }, () => sendAnswer(update))
          .finally(end),
      );
      if (!isStarted) end();
    };
    if (ofChat.underWay < answersAtOnce) begin();
    else if (ofChat.waiting.length < answersWaiting) ofChat.waiting.push(begin);
    else
      telemetry.emit('ANSWER_CALLBACK_QUERY', {
        result: 'failed',
        text: '',
        reason_detail: `not sent: ${answersAtOnce + answersWaiting} taps of this chat are being answered`,
      });
  }

  async function sendAnswer({ callbackId = '', locale }: IncomingUpdate): Promise<void> {
    const text = reasonText('RATE_LIMIT', locale, telemetry.cid());
    const limit = AbortSignal.timeout(answerLimitMs);
    // SAFETY: grammY types signals as its polyfill's; it only listens for `abort`.
    const signal = limit as unknown as Parameters<Api['answerCallbackQuery']>[2];
    const refusal = await refusedBy(api.answerCallbackQuery(callbackId, { text }, signal)).catch(error => {
      if (!limit.aborted) throw error;
      return { detail: `not sent within ${answerLimitMs} ms` };
    });
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
        const text = texts.for(update.locale)('flood-message');
        const refusal = await refusedBy(api.sendMessage(chatId, text));
        telemetry.emit('FLOOD_NOTICE', {
          result: refusal ? 'failed' : 'accepted',
          reason_code: 'RATE_LIMIT',
          text,
          reason_detail: refusal?.detail,
        });
      }),
    );
  }

  function tellUser(update: IncomingUpdate): void {
    const chatId = privateChatOf(update);
    if (update.callbackId !== undefined) answerTap(update);
    else if (chatId !== undefined) notify(update, chatId);
  }

  return {
    answer(update) {
      telemetry.annotate({ result: 'rejected', reason_code: 'RATE_LIMIT' });
      tellUser(update);
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
      tellUser(update);
    },
  };
}
