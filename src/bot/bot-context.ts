// grammY's context with what this bot adds to it: the picked update with its stored state, the handler's
// view of it, and the conclusion that the frame leaves behind.
import { type Api, Context } from 'grammy';
import type { Update, UserFromGetMe } from 'grammy/types';
import type { Conclusion } from '../inbox/lanes.ts';
import type { Locale } from '../otel/reasons.ts';
import { type Form, formSchema } from '../pipeline/form.ts';
import type { MessageState, PickedUpdate } from '../storage/update-store.ts';
import { type ScreenId, type ScreenRecord, screenIds, screenRecordSchema } from '../ui/screens.ts';
import { localeOf } from '../ui/texts.ts';

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
  conclusion: Conclusion | undefined;

  constructor(update: Update, api: Api, me: UserFromGetMe, picked: PickedUpdate) {
    super(update, api, me);
    this.picked = picked;
    this.locale = localeOf(this.from?.language_code);
    this.form = formOf(picked);
    this.screen = screenOf(picked.message);
    this.conclusion = undefined;
  }
}

/** A form of a shape that this release does not know counts as closed rather than as an error. */
function formOf(picked: PickedUpdate): Form | undefined {
  const parsed = formSchema.safeParse(picked.session?.form);
  return parsed.success ? parsed.data : undefined;
}

function screenOf(message: MessageState | undefined): ShownScreen | undefined {
  const id = screenIds.find(name => name === message?.screen);
  if (!message || !id) return undefined;
  const { messageId, media, renderedAt, lastAction } = message;
  return {
    id,
    record: screenRecordSchema.catch({}).parse(message.record),
    messageId,
    media,
    renderedAt,
    lastAction,
  };
}
