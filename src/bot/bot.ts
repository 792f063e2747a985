// The bot: takes a picked update through the plugins, routes it, and returns its conclusion. The frame does everything
// that a user sees; here is only what gets to it.
import { type Api, Composer, type Middleware } from 'grammy';
import type { ChatMemberUpdated, Message, MessageOrigin, Update, UserFromGetMe } from 'grammy/types';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Conclusion, UpdateHandler } from '../inbox/lanes.ts';
import type { Pseudonyms } from '../otel/pseudonyms.ts';
import { reasonText } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { isConnectionLost } from '../postgres/connection-lost.ts';
import { withDeadline } from '../telegram/call-deadline.ts';
import { type IncomingUpdate, pseudonymsOf, readIncoming } from '../telegram/incoming.ts';
import { incomingFileOf } from '../telegram/incoming-file.ts';
import { refusedBy } from '../telegram/refusal.ts';
import { malformedPart } from '../telegram/well-formed.ts';
import type { Texts } from '../ui/texts.ts';
import { BotContext, profileOf } from './bot-context.ts';
import { dispatchSnapshotOf } from './dispatch-snapshot.ts';
import { createFaultNotices } from './fault-notices.ts';
import type { Frame } from './frame.ts';
import { followUpsFor } from './owed-screen.ts';
import { privateChatsOnly } from './private-chats.ts';
import { createSilenceGuard } from './silence-guard.ts';
import type { TurnConclusion } from './turn-conclusion.ts';

export interface BotOptions {
  readonly api: Api;
  readonly me: UserFromGetMe;
  readonly frame: Frame;
  readonly catalogue: Pick<Catalogue, 'byKey'>;
  readonly texts: Texts;
  readonly telemetry: Telemetry;
  readonly pseudonyms: Pseudonyms;
  readonly silenceGuard: boolean;
  /** What an update has for everything that is called in its turn. */
  readonly deadlineMs: number;
  readonly adminIds: readonly number[];
  /**
   * Middleware of grammY's ecosystem, used in this order around the turn of every update. One that does not call `next`
   * must answer its user itself; the update then ends as a fault.
   */
  readonly plugins?: readonly Middleware<BotContext>[];
}

export function createBot(options: BotOptions): UpdateHandler {
  const { api, me, frame, telemetry } = options;
  const plugins = new Composer<BotContext>(...(options.plugins ?? [])).middleware();
  const refuseOtherChats = privateChatsOnly(options);
  const faults = createFaultNotices(options);
  const guard = createSilenceGuard({ ...options, faults, enabled: options.silenceGuard });

  async function route(context: BotContext): Promise<TurnConclusion> {
    const refused = await refuseOtherChats(context);
    if (refused) return refused;
    if (context.myChatMember) return membership(context, context.myChatMember);
    // A game's button has no data; it cannot be one of ours.
    if (context.callbackQuery) return frame.callback(context, context.callbackQuery.data ?? '');
    if (context.message) return message(context, context.message);
    // The instance that received the checkout has answered it at once; a second answer must not follow.
    if (context.preCheckoutQuery) return nothingToDo('answered when it was received');
    // Stored and ended, so that Telegram goes on.
    return nothingToDo('a kind of update this bot has no use for');
  }

  function message(context: BotContext, given: Message): Promise<TurnConclusion> {
    const { text, forward_origin: origin } = given;
    if (context.isAdmin && origin) return frame.forward(context, senderOf(origin));
    if (text?.startsWith('/')) return frame.command(context, commandName(text), argumentOf(text));
    if (text !== undefined) return frame.text(context, text);
    const file = incomingFileOf(given);
    return file ? frame.file(context, file) : frame.message(context);
  }

  /** Undefined where a plugin has kept the update for itself. */
  async function turn(context: BotContext): Promise<TurnConclusion | undefined> {
    let conclusion: TurnConclusion | undefined;
    await plugins(context, async () => {
      conclusion = await route(context);
    });
    return conclusion;
  }

  /** A spinner is ended all the same. */
  async function refuseMalformed(part: string, incoming: IncomingUpdate | undefined): Promise<Conclusion> {
    const reason = 'VALIDATION_FAILED';
    if (incoming?.callbackId !== undefined) {
      const text = reasonText(reason, incoming.locale, telemetry.cid());
      const refusal = await refusedBy(api.answerCallbackQuery(incoming.callbackId, { text }));
      telemetry.emit('ANSWER_CALLBACK_QUERY', {
        result: refusal ? 'failed' : 'accepted',
        text,
        reason_detail: refusal?.detail,
      });
    }
    return { result: 'rejected', reason, detail: `not of Telegram's form: ${part}` };
  }

  return {
    open(picked) {
      const malformed = malformedPart(picked.body);
      const content = malformed === undefined ? picked.body : { update_id: picked.updateId };
      // SAFETY: all that is read of it has the form that Telegram gives it.
      const context = new BotContext(content as Update, api, me, picked, options.adminIds);
      const incoming = malformed === undefined ? undefined : readIncoming(picked.body);
      return {
        // As when it was received: an update without a chat counts as in the chat of its user.
        fields: pseudonymsOf(
          incoming ?? { userId: context.from?.id, chatId: context.chat?.id ?? context.from?.id },
          options.pseudonyms,
        ),
        before: () => dispatchSnapshotOf(context, options.catalogue),
        handle: () =>
          withDeadline(options.deadlineMs, async () => {
            if (malformed !== undefined) return refuseMalformed(malformed, incoming);
            const endWatch = guard.watch(context);
            try {
              const conclusion = await turn(context);
              return await (conclusion ? guard.check(context, conclusion) : guard.conclude(context));
            } catch (error) {
              // Whatever else an update may hold that nobody expected: it ends, and its chat goes on.
              if (isConnectionLost(error)) throw error;
              const { owed } = await faults.notify(context);
              return { result: 'failed', reason: 'INTERNAL_ERROR', error, followUps: followUpsFor(owed) };
            } finally {
              endWatch();
              await context.tapAnswer?.settled();
            }
          }),
        giveUp: () =>
          withDeadline(options.deadlineMs, async () => followUpsFor((await faults.notify(context)).owed)),
      };
    },
  };
}

/** The user blocked the bot, or came back. */
function membership(context: BotContext, { new_chat_member: member }: ChatMemberUpdated): TurnConclusion {
  const blocked = member.status === 'kicked';
  return {
    result: 'accepted',
    reason: 'SUCCESS',
    detail: blocked ? 'the user blocked the bot' : 'the user can be written to',
    because: { detail_code: blocked ? 'bot_blocked' : 'bot_unblocked' },
    effects: { chatId: context.picked.lane, user: profileOf(context, blocked) },
  };
}

function nothingToDo(detail: string): TurnConclusion {
  return { result: 'noop', reason: 'NOOP', detail };
}

/** undefined where the sender is hidden, or is no user. */
function senderOf(origin: MessageOrigin): number | undefined {
  return origin.type === 'user' ? origin.sender_user.id : undefined;
}

function argumentOf(text: string): string {
  return /^\S+\s+([\s\S]*)$/.exec(text)?.[1]?.trim() ?? '';
}

/** `/start@bot payload` → `start`. */
function commandName(text: string): string {
  return (text.slice(1).split(/[\s@]/, 1)[0] ?? '').toLowerCase();
}
