// What users see while nobody works their updates: a tap is refused at once, with a notice and a button that
// brings the current screen back once somebody does; a message is kept, and its user notified that the answer takes a
// while. Nobody is left in silence, and nobody gets the same notice twice a minute. When this is so is decided
// here, by the state of the instance and the mode. What Telegram refuses is emitted as an event and never thrown.
import type { Api } from 'grammy';
import type { InstanceState } from '../lock/instance-state.ts';
import type { EventType } from '../otel/fields.ts';
import { reasons, reasonText } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { MessageStore } from '../storage/message-store.ts';
import type { Background } from '../telegram/background.ts';
import { type IncomingUpdate, privateChatOf } from '../telegram/incoming.ts';
import { type Presented, present } from '../telegram/presenter.ts';
import { type Refusal, refusedBy } from '../telegram/refusal.ts';
import { createThrottle } from '../telegram/throttle.ts';
import { buttonIdOf } from '../ui/codec.ts';
import { renderUpdating } from '../ui/menu-screens.ts';
import type { Texts } from '../ui/texts.ts';

/**
 * What an instance that is not ACTIVE does with taps. `queue`: they wait for the ACTIVE one, and are refused only
 * when there is none. `reject`: they are refused in any case.
 */
export type PassiveMode = 'queue' | 'reject';

export interface Passive {
  /** Whether the update is refused: then it must be stored with that outcome, and never be worked. */
  refuses(update: IncomingUpdate): boolean;
  /** Tells of a refused tap, its user in the background. Must be called in the span of the update. */
  refuseTap(update: IncomingUpdate): void;
  /** For one whose refusal was emitted already: notifies its user. */
  answerTap(update: IncomingUpdate): void;
  /** Tells the user in the background, if it has to be, that the stored update takes a while. In the span of the update. */
  notify(update: IncomingUpdate): void;
}

export interface PassiveOptions {
  readonly state: InstanceState;
  readonly mode: PassiveMode;
  readonly api: Api;
  readonly messages: Pick<MessageStore, 'record'>;
  readonly texts: Texts;
  readonly telemetry: Telemetry;
  readonly background: Background;
}

const noticeIntervalMs = 60_000;
/** Chats that are remembered as notified. */
const noticedChats = 10_000;
const messageTypes: ReadonlySet<EventType> = new Set<EventType>(['message', 'command', 'text_input']);

export function createPassive(options: PassiveOptions): Passive {
  const { state, mode, api, messages, texts, telemetry, background } = options;
  const afterTaps = createThrottle({ intervalMs: noticeIntervalMs, capacity: noticedChats });
  const afterMessages = createThrottle({ intervalMs: noticeIntervalMs, capacity: noticedChats });

  const isClosed = (): boolean => !state.isActive() && (mode === 'reject' || state.isAbandoned());

  async function sendAnswer(update: IncomingUpdate, chatId: number | undefined): Promise<void> {
    const text = reasonText('PASSIVE_REJECT', update.locale, telemetry.cid());
    const refusal = await refusedBy(api.answerCallbackQuery(update.callbackId ?? '', { text }));
    telemetry.emit('ANSWER_CALLBACK_QUERY', {
      result: refusal ? 'failed' : 'accepted',
      text,
      reason_detail: refusal?.detail,
    });
    // A second message would only push the first one out of sight.
    if (chatId !== undefined && afterTaps.admits(chatId)) await sendScreen(update, chatId);
    else emitNotice('answer', text, refusal);
  }

  async function sendScreen({ locale }: IncomingUpdate, chatId: number): Promise<void> {
    const screen = renderUpdating({}, { t: texts.for(locale) });
    let sent: Presented | undefined;
    const refusal = await refusedBy(
      present(api, chatId, screen, undefined).then(presented => {
        sent = presented;
      }),
    );
    emitNotice('send', screen.text, refusal, sent?.messageId);
    // Who was not notified may be notified at the next tap.
    if (refusal) afterTaps.forget(chatId, refusal.retryAfterMs);
    // Without its record the button would count as expired.
    if (sent)
      await messages.record({
        chatId,
        messageId: sent.messageId,
        screen: 'UPDATING',
        record: {},
        media: false,
      });
  }

  async function sendNotice({ locale }: IncomingUpdate, chatId: number): Promise<void> {
    const text = texts.for(locale)('updating-message');
    const refusal = await refusedBy(api.sendMessage(chatId, text));
    emitNotice('send', text, refusal);
    if (refusal) afterMessages.forget(chatId, refusal.retryAfterMs);
  }

  function emitNotice(
    operation: 'send' | 'answer',
    text: string,
    refusal: Refusal | undefined,
    messageId?: number,
  ): void {
    telemetry.emit('PASSIVE_NOTICE', {
      result: refusal ? 'failed' : 'accepted',
      reason_code: 'PASSIVE_REJECT',
      reason_detail: refusal?.detail,
      operation,
      text,
      message_id: messageId,
    });
  }

  /** The trace of a refused tap ends with its root, so what is looked for must stand there. */
  function annotateRefusal(): void {
    telemetry.annotate({ result: 'rejected', reason_code: 'PASSIVE_REJECT' });
  }

  function inBackground(work: () => Promise<void>): void {
    background.start('passive notice', () => telemetry.inSpan('passive notice', {}, work));
  }

  return {
    refuses: update => update.callbackId !== undefined && isClosed(),
    refuseTap(update) {
      annotateRefusal();
      telemetry.emit('CALLBACK_REJECTED', {
        result: 'rejected',
        reason_code: 'PASSIVE_REJECT',
        reason_text: reasons.PASSIVE_REJECT.meaning,
        button_id: buttonIdOf(update.callbackData),
      });
      inBackground(() => sendAnswer(update, privateChatOf(update)));
    },
    answerTap(update) {
      annotateRefusal();
      inBackground(() => sendAnswer(update, privateChatOf(update)));
    },
    notify(update) {
      const chatId = privateChatOf(update);
      if (chatId === undefined || !messageTypes.has(update.eventType) || !isClosed()) return;
      if (afterMessages.admits(chatId)) inBackground(() => sendNotice(update, chatId));
    },
  };
}
