// Puts the state of then into the sandbox: the user, the money, what was ordered, the open form, the tapped message.
// Times are moved by as much as the replay is later, so that what was old then is as old now. To be done right before
// the update is sent: for double taps seconds count.
import { createWallet } from '../../src/billing/wallet.ts';
import { wordlessValues } from '../../src/bot/dispatch-snapshot.ts';
import { insertResults } from '../../src/storage/delivery-requests.ts';
import type { TappedMessage } from './disguise.ts';
import type { Ground } from './ground.ts';
import { taskIdOf } from './past.ts';
import { refilled } from './placeholders.ts';
import { restoreForm } from './restored-form.ts';
import { restorePlace } from './restored-place.ts';

/** Resolves to the message in the place of the tapped one; undefined where none was tapped. */
export async function restore(ground: Ground): Promise<TappedMessage | undefined> {
  await restoreUser(ground);
  await restoreTask(ground);
  return restorePlace(ground, await restoreForm(ground));
}

async function restoreUser({ past, database, user, notes }: Ground): Promise<void> {
  const known = past.snapshot.user;
  if (!known) {
    notes.restored.push('a user who was new to the bot');
    return;
  }
  const { language, blocked } = known;
  await database.query(
    'insert into users (chat_id, language, blocked_at) values ($1, $2, case when $3 then now() end)',
    [user.chatId, language, blocked],
  );
  notes.restored.push(`the user: language ${language}${blocked ? ', had blocked the bot' : ''}`);

  const { available, held, welcomed } = past.wallet;
  const { rows } = await database.query<{ name: string; epoch: string }>('select name, epoch from leases');
  const wallet = createWallet(() => ({ name: rows[0]?.name ?? '', epoch: Number(rows[0]?.epoch ?? 0) }));
  // Whatever the amount: what counts is that it is given once.
  const credit = welcomed ? 1 : 0;
  await wallet.welcome(database, user.chatId, credit);
  const rest = available - credit;
  if (rest !== 0)
    await wallet.adjust(database, {
      chatId: user.chatId,
      amount: rest,
      ref: 'replay',
      note: 'as it was then',
    });
  notes.restored.push(`the balance: ${available} kopecks to spend`);
  if (held > 0) notes.different.push(`${held} kopecks were held for other generations, which are not here`);
}

/** The generation that the tapped button names. */
async function restoreTask({ past, database, user, catalogue, files, notes }: Ground): Promise<void> {
  if (taskIdOf(past.update) === undefined) return;
  const { task } = past;
  if (!task) {
    notes.different.push('the generation that the button names: it had not ended, or is not known any more');
    return;
  }
  const model = catalogue.byKey(task.modelKey);
  const { values } = await refilled(wordlessValues(task.values, model), model, files);
  await database.query(
    `insert into tasks (id, chat_id, draft_id, draft_revision, model_id, model_key, model_version, inputs, state,
       reason_code, callback_token, traceparent, finished_at)
     values ($1, $2, 'replay', 1, $3, $4, $5, $6, $7, $8, 'replay', '', now())`,
    [
      task.id,
      user.chatId,
      task.modelId,
      task.modelKey,
      task.modelVersion,
      JSON.stringify(values),
      task.state,
      task.reasonCode,
    ],
  );
  const urls = await Promise.all(
    Array.from({ length: task.files }, () => files.made(model?.output ?? 'image')),
  );
  await insertResults(database, task.id, urls);
  // They had been sent: what is asked for now is to send them again.
  await database.query('update deliveries set finished_at = now(), message_id = 1 where task_id = $1', [
    task.id,
  ]);
  notes.restored.push(
    `the generation that the button names: ${task.state}, with placeholders for texts and files`,
  );
}
