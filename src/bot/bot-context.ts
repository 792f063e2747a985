// grammY's context with what this bot adds to it: the picked update with its stored state, the handler's
// view of it, and the one answer that a tap may have. A turn writes nothing to it; it returns its conclusion.
import { type Api, Context } from 'grammy';
import type { Update, UserFromGetMe } from 'grammy/types';
import { z } from 'zod';
import type { Locale } from '../locales.ts';
import { localeOf } from '../locales.ts';
import { type Form, formSchema } from '../pipeline/form.ts';
import type { MessageState, PickedUpdate, UserProfile } from '../storage/update-pick.ts';
import { type ScreenId, type ScreenRecord, screenIds, screenRecordSchema } from '../ui/screens.ts';
import { createTapAnswer, type TapAnswer } from './tap-answer.ts';

/** The tapped message as it was rendered. */
export interface ShownScreen {
  readonly id: ScreenId;
  readonly record: ScreenRecord;
  readonly messageId: number;
  readonly media: boolean;
  readonly renderedAt: Date;
  readonly lastAction: MessageState['lastAction'];
}

export class BotContext extends Context {
  readonly picked: PickedUpdate;
  readonly locale: Locale;
  readonly form: Form | undefined;
  readonly screen: ShownScreen | undefined;
  readonly isAdmin: boolean;
  /** Only of a tap. */
  readonly tapAnswer: TapAnswer | undefined;

  constructor(
    update: Update,
    api: Api,
    me: UserFromGetMe,
    picked: PickedUpdate,
    adminIds: readonly number[],
  ) {
    super(update, api, me);
    this.picked = picked;
    this.locale = localeOf(this.from?.language_code);
    this.form = formOf(picked);
    this.screen = screenOf(picked.message);
    this.isAdmin = this.from !== undefined && adminIds.includes(this.from.id);
    this.tapAnswer = this.callbackQuery
      ? createTapAnswer(content => this.answerCallbackQuery(content))
      : undefined;
  }
}

/** What Telegram says of the user now. What is no username of Telegram's is none, so that it cannot fail the commit. */
export function profileOf({ from, locale }: BotContext, blocked: boolean): UserProfile {
  return { language: locale, blocked, username: usernameSchema.parse(from?.username) };
}

const usernameSchema = z
  .string()
  .regex(/^\w{1,64}$/)
  .toLowerCase()
  .nullable()
  .catch(null);

const recordSchema = screenRecordSchema.catch({});

/** A form of a shape that this release does not know counts as closed rather than as an error. */
function formOf({ session }: PickedUpdate): Form | undefined {
  if (!session?.form) return undefined;
  const parsed = formSchema.safeParse(session.form);
  return parsed.success ? parsed.data : undefined;
}

function screenOf(message: MessageState | undefined): ShownScreen | undefined {
  const id = screenIds.find(name => name === message?.screen);
  if (!message || !id) return undefined;
  const { messageId, media, renderedAt, lastAction } = message;
  return {
    id,
    record: recordSchema.parse(message.record),
    messageId,
    media,
    renderedAt,
    lastAction,
  };
}
