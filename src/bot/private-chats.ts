// The bot works in private chats only. In a group or channel it says so once and leaves. A tap there is answered all
// the same, because the user looks at a spinner. Taps on messages that were sent by way of the bot (inline) have no
// chat; they belong to their user and go on.
import { reasons } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { refusedBy } from '../telegram/refusal.ts';
import { buttonIdOf, sanitizedData } from '../ui/codec.ts';
import type { Texts } from '../ui/texts.ts';
import type { BotContext } from './bot-context.ts';
import type { TurnConclusion } from './turn-conclusion.ts';

export interface PrivateChatsOptions {
  readonly texts: Texts;
  readonly telemetry: Pick<Telemetry, 'emit' | 'scrub' | 'annotate'>;
}

const notPrivate = { detail_code: 'not_private' } as const;

/** How an update of another kind of chat ends; undefined for one of a private chat, which goes on. */
export type RefuseOtherChats = (context: BotContext) => Promise<TurnConclusion | undefined>;

export function privateChatsOnly({ texts, telemetry }: PrivateChatsOptions): RefuseOtherChats {
  async function refuseTap(context: BotContext, detail: string): Promise<void> {
    const data = context.callbackQuery?.data ?? '';
    const id = buttonIdOf(data);
    telemetry.annotate({ button_id: id });
    telemetry.emit('CALLBACK_RECEIVED', {
      callback_id: context.callbackQuery?.id ?? '',
      message_id: context.callbackQuery?.message?.message_id,
      button_id: id,
      payload_sanitized: sanitizedData(data),
    });
    telemetry.emit('CALLBACK_REJECTED', {
      result: 'rejected',
      reason_code: 'PERMISSION_DENIED',
      reason_text: reasons.PERMISSION_DENIED.meaning,
      reason_detail: detail,
      ...notPrivate,
      button_id: id,
    });
    const text = texts.for(context.locale)('hint-private-only');
    const given = await context.tapAnswer?.give({ text });
    if (given?.by === 'turn')
      telemetry.emit('ANSWER_CALLBACK_QUERY', {
        result: given.refusal ? 'failed' : 'accepted',
        text,
        reason_detail: given.refusal?.detail,
      });
  }

  /** Also a chat that it may not write to. */
  async function leave(context: BotContext): Promise<void> {
    const said =
      context.chat?.type === 'channel'
        ? undefined
        : await refusedBy(context.reply('I work in private chats only. / Я работаю только в личных чатах.'));
    const left = await refusedBy(context.leaveChat());
    for (const refusal of [said, left]) {
      if (!refusal) continue;
      telemetry.emit('SYSTEM_WARNING', {
        operation: 'leave a group',
        error_type: refusal.reason,
        error_message: telemetry.scrub(refusal.detail),
      });
    }
  }

  return async context => {
    if (!context.chat || context.chat.type === 'private') return undefined;
    const detail = `a ${context.chat.type}`;
    const added = context.myChatMember?.new_chat_member.status;
    if (added === 'left' || added === 'kicked')
      return { result: 'noop', reason: 'NOOP', detail, because: notPrivate };
    if (context.callbackQuery) await refuseTap(context, detail);
    await leave(context);
    return { result: 'rejected', reason: 'PERMISSION_DENIED', detail, because: notPrivate };
  };
}
