// Where the user was: the message that was tapped, in the chat and in the database, and the session.
import type { DispatchSnapshot } from '../../src/bot/dispatch-snapshot.ts';
import { defaultLocale } from '../../src/locales.ts';
import type { Form } from '../../src/pipeline/form.ts';
import { readIncoming } from '../../src/telegram/incoming.ts';
import { present } from '../../src/telegram/presenter.ts';
import type { RenderedScreen } from '../../src/ui/keyboard.ts';
import type { TappedMessage } from './disguise.ts';
import type { Ground } from './ground.ts';
import { createView, drawShown } from './shown-screen.ts';

type Shown = NonNullable<DispatchSnapshot['shown']>;

/** Stands where nobody knows how the screen looked. */
const unknownScreen: RenderedScreen = { text: 'A screen of then.', rows: [] };

/** Resolves to the message in the place of the tapped one; undefined where none was tapped. */
export async function restorePlace(
  ground: Ground,
  form: Form | undefined,
): Promise<TappedMessage | undefined> {
  const { past, database, user, notes } = ground;
  const { shown, hasScreen = form !== undefined || shown !== undefined } = past.snapshot;
  const isTap = readIncoming(past.update.body)?.messageId !== undefined;
  const tapped = isTap ? await post(ground, shown && draw(ground, shown, form)) : undefined;
  if (tapped !== undefined && shown) await remember(ground, tapped, shown);
  else if (isTap) notes.restored.push('the tapped message: one of which the bot has no record');
  if (past.snapshot.user && hasScreen) {
    const newest = shown?.isCurrent ? tapped : undefined;
    await database.query('insert into sessions (chat_id, message_id, form) values ($1, $2, $3)', [
      user.chatId,
      newest ?? (await post(ground, undefined)),
      form === undefined ? null : JSON.stringify(form),
    ]);
  }
  return user.messages().find(({ messageId }) => messageId === tapped)?.message;
}

function draw(
  { past, catalogue, config, notes }: Ground,
  { screen, record }: Shown,
  form: Form | undefined,
): RenderedScreen | undefined {
  const view = createView(catalogue, config.money.rates, past.snapshot.user?.language ?? defaultLocale);
  const isItsForm = form?.draft === record.draft && form?.revision === record.revision;
  const drawn = drawShown(screen, { record, form: isItsForm ? form : undefined, wallet: past.wallet }, view);
  if (!drawn) notes.different.push(`how the screen ${screen} looked: its message bears another text here`);
  return drawn;
}

async function post({ api, user }: Ground, screen: RenderedScreen = unknownScreen): Promise<number> {
  return (await present(api, user.chatId, screen, undefined)).messageId;
}

async function remember({ database, user, notes, moved }: Ground, id: number, shown: Shown): Promise<void> {
  const { screen, record, media = false, renderedAt, lastAction } = shown;
  const lastActionAt = shown.lastActionAt ?? renderedAt;
  await database.query(
    `insert into messages (chat_id, message_id, screen_id, screen_data, media, last_action, last_action_at, rendered_at)
     values ($1, $2, $3, $4, $5, $6, case when $6::text is not null then $7::timestamptz end, $8)`,
    [
      user.chatId,
      id,
      screen,
      JSON.stringify(record),
      media,
      lastAction ?? null,
      moved(lastActionAt),
      moved(renderedAt),
    ],
  );
  const age = shown.isCurrent ? 'the newest' : 'not the newest';
  notes.restored.push(`the tapped message: screen ${screen}, ${age}, drawn ${renderedAt}`);
  if (lastAction !== undefined && shown.lastActionAt === undefined)
    notes.different.push('when a button of that message had last been accepted: that was not recorded');
  if (shown.media === undefined)
    notes.different.push('whether that message bore a file: that was not recorded');
}
