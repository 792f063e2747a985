// grammY's context with what this bot adds to it: the picked update with its stored state, the handler's
// view of it, and the conclusion that the frame leaves behind.
import { type Api, Context } from 'grammy';
import type { Update, UserFromGetMe } from 'grammy/types';
import { z } from 'zod';
import type { Conclusion } from '../inbox/lanes.ts';
import type { Locale } from '../otel/reasons.ts';
import { type Form, formSchema } from '../pipeline/form.ts';
import type { MessageState, PickedUpdate, UserProfile } from '../storage/update-store.ts';
import { type ScreenId, type ScreenRecord, screenIds, screenRecordSchema } from '../ui/screens.ts';
import { localeOf } from '../ui/texts.ts';
import type { Owed } from './owed-screen.ts';

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
  conclusion: Conclusion | undefined;
  /** The tap is being answered, or was: a query takes one answer. */
  isAnswering: boolean;
  /** The answer that the silence guard gave in the handler's place: whether Telegram took it. */
  guardAnswer: Promise<boolean> | undefined;
  /** The conclusion has neither a screen nor a word for the user. */
  isSilent: boolean;
  /** The message that told the user of a fault, to be stored with the outcome: it bears a button. */
  faultMessageId: number | undefined;
  /** What the user could not be shown and is to be shown later; the newest takes the place of what was there. */
  owed: Owed | undefined;

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
    this.conclusion = undefined;
    this.isAnswering = false;
    this.guardAnswer = undefined;
    this.isSilent = false;
    this.faultMessageId = undefined;
    this.owed = undefined;
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
