// Tells a user of a fault: a message with the cid that leads to its trace and with the button that reports it, and for
// a tap its answer besides, because an answer bears no button and is gone with the next touch. The last thing that is
// tried for an update: what keeps it from being told is itself only told to the operator.
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

export interface FaultTeller {
  /**
   * Answers the tap, unless it has its answer, and writes the sentence of INTERNAL_ERROR. Only in private chats. Throws
   * only what did not come from the Bot API.
   */
  tell(context: BotContext, how?: { readonly answered?: boolean }): Promise<Told>;
  /**
   * Writes these words with the button beneath. Throws only what did not come from the Bot API.
   */
  write(context: BotContext, notice: string): Promise<Told>;
  /** The same for what follows an update that has ended: nothing is left to store it with. */
  send(api: Api, user: Pick<HandlerUser, 'chatId' | 'locale'>, notice: string): Promise<Sent>;
}

interface Sent {
  /** The message bears a button, so it is stored with the outcome. */
  readonly messageId?: number;
  /** Why Telegram did not take it. */
  readonly refusal?: Refusal;
}

/** What became of telling a user; `owed`: it may get through later. */
export interface Told extends Sent {
  readonly owed?: Owed | undefined;
}

export interface FaultTellerOptions {
  readonly texts: Texts;
  readonly telemetry: Pick<Telemetry, 'emit' | 'scrub' | 'cid'>;
}

/** What telling of a fault has in any case, where the update has used up its time. */
const reserveMs = 3_000;

export function createFaultTeller({ texts, telemetry }: FaultTellerOptions): FaultTeller {
  function warn(error: unknown, detail: string): void {
    telemetry.emit('SYSTEM_WARNING', {
      operation: 'tell the user about a fault',
      error_type: errorType(error),
      error_message: telemetry.scrub(detail),
    });
  }

  const send: FaultTeller['send'] = async (api, { chatId, locale }, notice) => {
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

  async function write(context: BotContext, notice: string): Promise<Told> {
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
    async tell(context, { answered = false } = {}) {
      if (context.chat?.type !== 'private') return {};
      const text = reasonText('INTERNAL_ERROR', context.locale, telemetry.cid());
      // The spinner first; whether Telegram still takes the answer or not, the message tells the same.
      const { tapAnswer } = context;
      if (tapAnswer && !answered)
        await withAtLeast(reserveMs, () => tapAnswer.give({ text, show_alert: true }));
      return write(context, text);
    },
  };
}
