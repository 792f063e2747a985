// The bot: takes a picked update through the middleware below, in this order, and returns its conclusion.
// Everything a user sees is done by the frame; here is only who gets to it.
import { type Api, Composer, type MiddlewareFn } from 'grammy';
import type { Message, MessageOrigin, Update, UserFromGetMe } from 'grammy/types';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { FollowUp } from '../inbox/follow-up.ts';
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
import { createFaultTeller } from './fault-teller.ts';
import type { Frame } from './frame.ts';
import { privateChatsOnly } from './private-chats.ts';
import { createSilenceGuard } from './silence-guard.ts';
import { situationOf } from './situation.ts';

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
}

export function createBot(options: BotOptions): UpdateHandler {
  const { api, me, frame, telemetry } = options;
  const composer = new Composer<BotContext>();
  composer.use(
    privateChatsOnly(options),
    membership,
    taps(frame),
    messages(frame),
    checkouts,
    // Kinds of updates this bot has no use for: stored and ended, so that Telegram goes on.
    ignored,
  );
  const middleware = composer.middleware();
  const faults = createFaultTeller(options);
  const guard = createSilenceGuard({ ...options, faults, enabled: options.silenceGuard });

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
        // As at its receipt: what has no chat is in its user's.
        fields: pseudonymsOf(
          incoming ?? { userId: context.from?.id, chatId: context.chat?.id ?? context.from?.id },
          options.pseudonyms,
        ),
        before: () => situationOf(context, options.catalogue),
        handle: () =>
          withDeadline(options.deadlineMs, async () => {
            if (malformed !== undefined) return refuseMalformed(malformed, incoming);
            const endWatch = guard.watch(context);
            try {
              await middleware(context, async () => {});
              await guard.check(context);
              return withOwed(context, context.conclusion ?? (await guard.conclude(context)));
            } catch (error) {
              // Whatever else an update may hold that nobody expected: it ends, and its chat goes on.
              if (isConnectionLost(error)) throw error;
              await faults.tell(context);
              return withOwed(context, { result: 'failed', reason: 'INTERNAL_ERROR', error });
            } finally {
              endWatch();
              await context.guardAnswer;
            }
          }),
        giveUp: () =>
          withDeadline(options.deadlineMs, async () => {
            context.owed = undefined;
            await faults.tell(context);
            return owedBy(context);
          }),
      };
    },
  };
}

/** The user blocked the bot, or came back. */
const membership: MiddlewareFn<BotContext> = async (context, next) => {
  if (!context.myChatMember) {
    await next();
    return;
  }
  const blocked = context.myChatMember.new_chat_member.status === 'kicked';
  context.conclusion = {
    result: 'accepted',
    reason: 'SUCCESS',
    detail: blocked ? 'the user blocked the bot' : 'the user can be written to',
    effects: { chatId: context.picked.lane, user: profileOf(context, blocked) },
  };
};

function taps(frame: Frame): MiddlewareFn<BotContext> {
  return async (context, next) => {
    if (!context.callbackQuery) await next();
    // A game's button has no data; it cannot be one of ours.
    else await frame.callback(context, context.callbackQuery.data ?? '');
  };
}

function messages(frame: Frame): MiddlewareFn<BotContext> {
  return async (context, next) => {
    const text = context.message?.text;
    if (!context.message) await next();
    else if (context.isAdmin && context.message.forward_origin)
      await frame.forward(context, senderOf(context.message.forward_origin));
    else if (text === undefined) await withoutText(frame, context, context.message);
    else if (text.startsWith('/')) await frame.command(context, commandName(text), argumentOf(text));
    else await frame.text(context, text);
  };
}

async function withoutText(frame: Frame, context: BotContext, message: Message): Promise<void> {
  const file = incomingFileOf(message);
  if (file) await frame.file(context, file);
  else await frame.message(context);
}

/** Whoever received it has answered it, at once; a second answer must not follow. */
const checkouts: MiddlewareFn<BotContext> = async (context, next) => {
  if (!context.preCheckoutQuery) await next();
  else context.conclusion = { result: 'noop', reason: 'NOOP', detail: 'answered when it was received' };
};

const ignored: MiddlewareFn<BotContext> = async context => {
  context.conclusion = { result: 'noop', reason: 'NOOP', detail: 'a kind of update this bot has no use for' };
};

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

function withOwed(context: BotContext, conclusion: Conclusion): Conclusion {
  if (!context.owed) return conclusion;
  return { ...conclusion, followUps: [...(conclusion.followUps ?? []), ...owedBy(context)] };
}

function owedBy({ owed }: BotContext): readonly FollowUp[] {
  return owed ? [{ kind: 'show', ...owed }] : [];
}
