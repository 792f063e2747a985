// Notifies a user of a fault: a message with the cid that leads to its trace and with the button that reports it. A tap
// is answered besides, because the answer ends its spinner; but an answer bears no button and is gone with the next
// touch. Nothing else is tried for an update after this: where it fails, only the operator learns of that.
import type { Api } from 'grammy';
import { errorType } from '../errors.ts';
import { reasonText } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { withAtLeast } from '../telegram/call-deadline.ts';
import { type Presented, present } from '../telegram/presenter.ts';
import { type Refusal, refusalOf } from '../telegram/refusal.ts';
import { renderFault } from '../ui/fault-screen.ts';
import type { Texts } from '../ui/texts.ts';
import type { BotContext } from './bot-context.ts';
import type { HandlerUser } from './context.ts';
import { type Owed, owedAfter } from './owed-screen.ts';

export interface FaultNotices {
  /**
   * Answers the tap, unless it has its answer, and writes the sentence of INTERNAL_ERROR. Only in private chats. Throws
   * only what did not come from the Bot API.
   */
  notify(context: BotContext, how?: { readonly answered?: boolean }): Promise<WrittenNotice>;
  /**
   * Writes these words with the button beneath. Throws only what did not come from the Bot API.
   */
  write(context: BotContext, notice: string): Promise<WrittenNotice>;
  /** The same for what follows an update that has ended: what Telegram does not take is not owed. */
  send(api: Api, user: Pick<HandlerUser, 'chatId' | 'locale'>, notice: string): Promise<SentNotice>;
}

interface SentNotice {
  /** The message bears a button, so it is stored with the conclusion. */
  readonly messageId?: number;
  /** Why Telegram did not take it. */
  readonly refusal?: Refusal;
}

/** `owed`: it was not taken, and may get through later. */
export interface WrittenNotice extends SentNotice {
  readonly owed?: Owed | undefined;
}

export interface FaultNoticesOptions {
  readonly texts: Texts;
  readonly telemetry: Pick<Telemetry, 'emit' | 'scrub' | 'cid'>;
}

/** What each call here has in any case, also where the update has used up its time. */
const reserveMs = 3_000;

export function createFaultNotices({ texts, telemetry }: FaultNoticesOptions): FaultNotices {
  function warn(error: unknown, detail: string): void {
    telemetry.emit('SYSTEM_WARNING', {
      operation: 'tell the user about a fault',
      error_type: errorType(error),
      error_message: telemetry.scrub(detail),
    });
  }

  const send: FaultNotices['send'] = async (api, { chatId, locale }, notice) => {
    const screen = renderFault({ notice }, { t: texts.for(locale) });
    let sent: Presented;
    try {
      sent = await withAtLeast(reserveMs, () => present(api, chatId, screen, undefined));
    } catch (error) {
      const refusal = refusalOf(error);
      if (!refusal) throw error;
      warn(error, refusal.detail);
      return { refusal };
    }
    telemetry.emit('UI_RENDER', {
      screen_id: 'FAULT',
      operation: sent.operation,
      message_id: sent.messageId,
      buttons_count: sent.buttonsCount,
    });
    return { messageId: sent.messageId };
  };

  async function write(context: BotContext, notice: string): Promise<WrittenNotice> {
    const { picked, locale } = context;
    const sent = await send(context.api, { chatId: picked.lane, locale }, notice);
    const { refusal } = sent;
    if (!refusal) return sent;
    const drawn = renderFault({ notice }, { t: texts.for(locale) });
    const what = { screen: 'FAULT', record: {}, drawn } as const;
    return { refusal, owed: owedAfter(telemetry, what, { refusal, isSent: true }) };
  }

  return {
    send,
    write,
    async notify(context, { answered = false } = {}) {
      if (context.chat?.type !== 'private') return {};
      const text = reasonText('INTERNAL_ERROR', context.locale, telemetry.cid());
      // The spinner first. The message says the same, whether Telegram still takes the answer or not.
      const { tapAnswer } = context;
      if (tapAnswer && !answered)
        await withAtLeast(reserveMs, () => tapAnswer.give({ text, show_alert: true }));
      return write(context, text);
    },
  };
}
