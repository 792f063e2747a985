// Erasing a person: nothing of theirs is left in any table, the money adds up without them, nobody else is touched, and
// nothing happens while something still runs or under a lost lease.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createReconcile } from '../../src/billing/reconcile.ts';
import { createWallet, type Wallet } from '../../src/billing/wallet.ts';
import type { CurrentLease } from '../../src/lock/lease.ts';
import { forgottenUpdate } from '../../src/reception/forgotten-update.ts';
import type { Database } from '../../src/storage/database.ts';
import { createDeadLetterStore } from '../../src/storage/dead-letter-store.ts';
import { createPersonalDataStore, type PersonalDataStore } from '../../src/storage/personal-data.ts';
import type { NewUpdate } from '../../src/storage/update-insert.ts';
import { createUpdateStore, type UpdateStore } from '../../src/storage/update-store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { tablesWith } from '../support/database-search.ts';
import { journalRow, openJournalStore } from '../support/journal.ts';
import { takeLease } from '../support/lease.ts';

let testDatabase: TestDatabase;
let database: Database;
let lease: CurrentLease;
let wallet: Wallet;
let store: PersonalDataStore;
let people = 0;
/** Nothing in the table has this id. */
const noFollowUp = 0;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = testDatabase.connect(4);
  lease = await takeLease(database);
  wallet = createWallet(lease);
  store = createPersonalDataStore({ database, archive: database, lease, forgotten: forgottenUpdate });
});
afterAll(async () => {
  const differences = await createReconcile({ database, telemetry: { emit: () => undefined } }).run();
  expect(differences).toEqual([]);
  await database.stop();
  await testDatabase.drop();
});

interface Person {
  readonly chatId: number;
  readonly username: string;
  readonly prompt: string;
  readonly userHash: string;
  readonly task: string;
}

/** A user with something in every table, and 130 kopecks left; the task was paid. */
async function storePerson(taskState = 'succeeded'): Promise<Person> {
  people += 1;
  const chatId = 7_310_442_900 + people;
  const username = `canary_name_${people}x`;
  const prompt = `canary prompt ${people}x`;
  const userHash = `c0ffee00${people.toString(16).padStart(8, '0')}`;
  const task = `task-${people}x`;
  const traceOf = (kind: string): string => `${kind}${people.toString(16).padStart(7, '0')}`.repeat(4);
  const traceparent = (kind: string): string => `00-${traceOf(kind)}-${'1'.repeat(16)}-01`;
  await database.query(`insert into users (chat_id, language, username) values ($1, 'ru', $2)`, [
    chatId,
    username,
  ]);
  await wallet.welcome(database, chatId, 200, userHash);
  await wallet.adjust(database, { chatId, amount: 10, ref: task, note: `for @${username.toUpperCase()}` });
  await wallet.hold(database, { chatId, task, amount: 80 });
  if (taskState === 'succeeded') await wallet.charge(database, task);
  await database.query(
    `insert into updates (bot_id, update_id, lane, message_id, event_type, body, traceparent, outcome, finished_at)
     values (1, $1, $1, 5, 'text_input', $2, $3, 'accepted', now())`,
    [chatId, JSON.stringify({ update_id: chatId, from: username, text: prompt }), traceparent('a')],
  );
  await database.query('insert into sessions (chat_id, message_id, form) values ($1, 5, $2)', [
    chatId,
    { prompt },
  ]);
  await database.query(
    `insert into messages (chat_id, message_id, screen_id, screen_data) values ($1, 5, 'RESULT', $2)`,
    [chatId, { task }],
  );
  await database.query(
    `insert into tasks (id, chat_id, draft_id, draft_revision, model_id, model_key, model_version, inputs, state,
       callback_token, traceparent)
     values ($1, $2, $1, 1, 'z-image', 'zimage', '1', $3, $4, $1, $5)`,
    [task, chatId, { prompt }, taskState, traceparent('b')],
  );
  await database.query('insert into kie_callbacks (task_id, body) values ($1, $2)', [task, { prompt }]);
  await database.query(
    `insert into deliveries (task_id, kind, position, url, finished_at) values ($1, 'result', 0, $2, now())`,
    [task, prompt],
  );
  const rowOf = (kind: string): object => ({ cid: traceOf(kind).slice(0, 8), traceId: traceOf(kind) });
  await openJournalStore(database).insert([
    journalRow({ userHash, lines: JSON.stringify({ value: prompt }) }),
    journalRow({ ...rowOf('a'), lines: JSON.stringify({ value: prompt, of: 'update' }) }),
    journalRow({ ...rowOf('b'), lines: JSON.stringify({ value: prompt, of: 'task' }) }),
  ]);
  return { chatId, username, prompt, userHash, task };
}

const everywhere = [
  'public.deliveries',
  'public.journal',
  'public.kie_callbacks',
  'public.sessions',
  'public.tasks',
  'public.updates',
];

/** A partition holds what its table holds. */
async function tablesOf(text: string): Promise<string[]> {
  return (await tablesWith(database, text)).filter(name => !/journal_\d+$/.test(name));
}

test('what a tap waits for does not wait for what reads or deletes much', async () => {
  const person = await storePerson();
  const nobodyAnswers = { query: () => new Promise<never>(() => undefined) };
  const busy = createPersonalDataStore({
    database,
    // SAFETY: who asks it here waits for ever.
    archive: nobodyAnswers as unknown as Database,
    lease,
    forgotten: forgottenUpdate,
  });
  await busy.saveConsent(person.chatId, true);
  expect(await busy.isBusy(person.chatId)).toBe(false);
});

test('of an erased person no table holds the number, the name or a text, and of another one all are there', async () => {
  const gone = await storePerson();
  const other = await storePerson();
  expect(await tablesOf(gone.prompt)).toEqual(everywhere);
  expect(await tablesOf(gone.username)).toEqual(['public.ledger', 'public.updates', 'public.users']);

  expect(await store.erase(gone.chatId, gone.userHash, noFollowUp)).toBe('erased');

  for (const canary of [gone.prompt, gone.username]) expect(await tablesOf(canary), canary).toEqual([]);
  // Telegram's number of the update has the same digits here.
  expect(await tablesOf(String(gone.chatId))).toEqual(['public.updates']);
  const { rows } = await database.query(
    'select lane, message_id, body, outcome from updates where update_id = $1',
    [gone.chatId],
  );
  expect(rows).toEqual([
    { lane: '0', message_id: null, body: { update_id: gone.chatId }, outcome: 'accepted' },
  ]);
  expect(await tablesOf(gone.userHash)).toEqual(['public.erased']);
  expect(await tablesOf(other.prompt)).toEqual(everywhere);
  expect(await wallet.balance(database, other.chatId)).toEqual({ available: 130, held: 0 });
});

test('the money of an erased person stays under a number that nobody can be written to by', async () => {
  const { chatId, userHash, task } = await storePerson();
  await store.erase(chatId, userHash, noFollowUp);
  const [erased] = await testDatabase.query<{ pseudonym: string; welcomed: boolean }>(
    'select pseudonym, welcomed from erased where user_hash = $1',
    [userHash],
  );
  const pseudonym = Number(erased?.pseudonym);
  expect(pseudonym).toBeLessThan(0);
  expect(erased?.welcomed).toBe(true);
  expect(await wallet.balance(database, pseudonym)).toEqual({ available: 130, held: 0 });
  const ledger = await testDatabase.query(
    'select kind, ref, note from ledger where chat_id = $1 order by id',
    [pseudonym],
  );
  expect(ledger).toEqual([
    { kind: 'welcome', ref: `welcome:${pseudonym}`, note: null },
    { kind: 'adjust', ref: `adjust:${task}`, note: 'erased' },
    { kind: 'hold', ref: `hold:${task}`, note: null },
    { kind: 'charge', ref: `charge:${task}`, note: null },
  ]);
  const users = await testDatabase.query(
    'select username, blocked_at is not null as blocked from users where chat_id = $1',
    [pseudonym],
  );
  expect(users).toEqual([{ username: null, blocked: true }]);
});

test('who comes back after erasing is given no second welcome credit, even after erasing twice', async () => {
  const { chatId, userHash } = await storePerson();
  for (const life of [1, 2]) {
    expect(await store.erase(chatId, userHash, noFollowUp), `life ${life}`).toBe('erased');
    await database.query(`insert into users (chat_id, language) values ($1, 'en')`, [chatId]);
    expect(await wallet.welcome(database, chatId, 200, userHash)).toEqual({
      moved: false,
      amount: 0,
      balance: { available: 0, held: 0 },
    });
  }
});

test('a person who never had the welcome credit is given it after coming back', async () => {
  const chatId = 7_310_442_800;
  const userHash = 'feedfeedfeedfeed';
  await database.query(`insert into users (chat_id, language) values ($1, 'en')`, [chatId]);
  expect(await store.erase(chatId, userHash, noFollowUp)).toBe('erased');
  expect(await tablesOf(String(chatId))).toEqual([]);
  await database.query(`insert into users (chat_id, language) values ($1, 'en')`, [chatId]);
  expect(await wallet.welcome(database, chatId, 200, userHash)).toMatchObject({ moved: true, amount: 200 });
});

test('nothing is erased while a task runs and its money is held', async () => {
  const { chatId, userHash, prompt, task } = await storePerson('waiting');
  expect(await store.isBusy(chatId)).toBe(true);
  expect(await store.erase(chatId, userHash, noFollowUp)).toBe('busy');
  expect(await tablesOf(prompt)).toEqual(everywhere);
  await wallet.release(database, task);
  await database.query(`update tasks set state = 'failed' where id = $1`, [task]);
  expect(await store.erase(chatId, userHash, noFollowUp)).toBe('erased');
});

test('nothing is erased while a result is on its way', async () => {
  const { chatId, userHash, task } = await storePerson();
  await database.query('update deliveries set finished_at = null where task_id = $1', [task]);
  expect(await store.erase(chatId, userHash, noFollowUp)).toBe('busy');
});

/** An update of the person, as Telegram sends it. */
function updateOf({ chatId, username, prompt }: Person, given: object, lane = chatId): NewUpdate {
  people += 1;
  const from = { id: chatId, is_bot: false, first_name: prompt, username, language_code: 'ru' };
  const chat = { id: lane, type: lane > 0 ? 'private' : 'supergroup', first_name: prompt, username };
  const message = { message_id: 9, date: 1, chat, from, text: prompt };
  const body = { update_id: people, message, ...given };
  return {
    updateId: people,
    lane,
    messageId: undefined,
    eventType: 'message',
    body: JSON.stringify(body),
    traceparent: `00-${'f'.repeat(32)}-${'1'.repeat(16)}-01`,
    refusal: undefined,
    isLimited: false,
  };
}

function updatesOf(instanceId: string): UpdateStore {
  return createUpdateStore({ database, botId: 2, instanceId, laneMax: 100, lease });
}

test('an update that waits to be worked is worked without what was written, and forgotten at its end', async () => {
  const person = await storePerson();
  const { chatId, userHash, prompt, username } = person;
  const updates = updatesOf('one');
  const message = { message_id: 9, date: 1, chat: { id: chatId, type: 'private', username }, text: prompt };
  const from = { id: chatId, is_bot: false, first_name: prompt, username, language_code: 'ru' };
  const tap = { id: '77', from, chat_instance: '1', data: 'v1:menu', message };
  await updates.insert(updateOf(person, {}));
  await updates.insert(updateOf(person, { message: { ...message, from, text: `/start ${prompt}` } }));
  await updates.insert(updateOf(person, { message: undefined, callback_query: tap }));
  await updates.insert(updateOf(person, { message: { ...message, from, text: 'a\u0000b' } }));
  await updates.insert(updateOf(person, { edited: 'unknown', message: 7 }));
  expect(await store.erase(chatId, userHash, noFollowUp)).toBe('erased');
  for (const canary of [prompt, username]) expect(await tablesOf(canary)).toEqual([]);

  const left = { message_id: 9, date: 1, chat: { id: chatId, type: 'private' } };
  const whom = { id: chatId, is_bot: false, language_code: 'ru' };
  const expected = [
    { message: { ...left, from: whom } },
    { message: { ...left, from: whom, text: '/start' } },
    { callback_query: { id: '77', from: whom, chat_instance: '1', data: 'v1:menu', message: left } },
    { message: { ...left, from: whom } },
    {},
  ];
  for (const body of expected) {
    const picked = (await updates.pick(chatId)) ?? expect.fail('nothing was picked');
    expect(picked.body).toEqual({ update_id: picked.updateId, ...body });
    const { id, attempt, traceparent } = picked;
    const ending = { id, attempt, traceparent, outcome: 'noop', reason: 'NOOP', effects: undefined } as const;
    expect(await updates.finish(ending)).toMatchObject({ committed: true });
  }
  expect(await database.query('select 1 from updates where lane = $1', [chatId])).toMatchObject({
    rowCount: 0,
  });
  expect(await updates.pick(chatId)).toBeUndefined();
});

test('a payment that waits keeps what the books need, until it has ended', async () => {
  const person = await storePerson();
  const updates = updatesOf('one');
  const chat = { id: person.chatId, type: 'private' };
  const paid = { message_id: 9, date: 1, chat, successful_payment: { invoice_payload: person.prompt } };
  await updates.insert(updateOf(person, { message: paid }));
  await store.erase(person.chatId, person.userHash, noFollowUp);
  const picked = (await updates.pick(person.chatId)) ?? expect.fail('nothing was picked');
  expect(picked.body).toEqual({ update_id: picked.updateId, message: paid });
  const { id, attempt, traceparent } = picked;
  await updates.finish({
    id,
    attempt,
    traceparent,
    outcome: 'accepted',
    reason: 'SUCCESS',
    effects: undefined,
  });
  expect(await tablesOf(person.prompt)).toEqual([]);
});

test('whoever works an update during the erasure cannot store what they have read of it', async () => {
  const person = await storePerson();
  const { chatId, userHash, prompt } = person;
  const updates = updatesOf('one');
  await updates.insert(updateOf(person, {}));
  const picked = (await updates.pick(chatId)) ?? expect.fail('nothing was picked');
  await store.erase(chatId, userHash, noFollowUp);
  const { id, attempt, traceparent } = picked;
  const effects = {
    chatId,
    user: { language: 'ru', blocked: false, username: null },
    session: { messageId: 9, form: { prompt } },
  } as const;
  const ending = { id, attempt, traceparent, outcome: 'accepted', reason: 'SUCCESS', effects } as const;
  expect(await updates.finish(ending)).toMatchObject({ committed: false });
  expect(await tablesOf(prompt)).toEqual([]);
  expect(await updatesOf('two').pick(chatId)).toMatchObject({ id: picked.id });
});

test('what is committed beside the erasure is found by the sweep before it is confirmed', async () => {
  const person = await storePerson();
  const { chatId, userHash, prompt } = person;
  const beside = testDatabase.connect(1);
  try {
    await beside.transaction(async transaction => {
      const { updateId, lane, body } = updateOf(person, {});
      await transaction.query(
        `insert into updates (bot_id, update_id, lane, event_type, body, traceparent, outcome, finished_at)
         values (3, $1, $2, 'message', $3, 'x', 'rejected', now())`,
        [updateId, lane, body],
      );
      await store.erase(chatId, userHash, noFollowUp);
      expect(await tablesOf(prompt)).toEqual([]);
    });
  } finally {
    await beside.stop();
  }
  expect(await tablesOf(prompt)).toEqual(['public.updates']);
  await store.sweep(chatId, userHash);
  expect(await tablesOf(prompt)).toEqual([]);
});

test('the sweep leaves what came after the erasure', async () => {
  const person = await storePerson();
  await store.erase(person.chatId, person.userHash, noFollowUp);
  await updatesOf('one').insert(updateOf(person, {}));
  await store.sweep(person.chatId, person.userHash);
  expect(await tablesOf(person.prompt)).toEqual(['public.updates']);
});

test('of what is written in a group nothing stays once it has ended, also where it was refused', async () => {
  const person = await storePerson();
  await store.erase(person.chatId, person.userHash, noFollowUp);
  const group = -1_000_000_000_000 - people;
  const updates = updatesOf('one');
  await updates.insert(updateOf(person, {}, group));
  expect(await tablesOf(person.prompt)).toEqual(['public.updates']);
  const picked = (await updates.pick(group)) ?? expect.fail('nothing was picked');
  const { id, attempt, traceparent } = picked;
  await updates.finish({
    id,
    attempt,
    traceparent,
    outcome: 'rejected',
    reason: 'PERMISSION_DENIED',
    effects: undefined,
  });
  await updates.insert({ ...updateOf(person, {}, group), refusal: 'PASSIVE_REJECT' });
  expect(await tablesOf(person.prompt)).toEqual([]);
  expect(await testDatabase.query('select count(*)::int from updates where lane = $1', [group])).toEqual([
    { count: 2 },
  ]);
});

test('a dead letter of an erased person can be worked again and reveals nothing', async () => {
  const person = await storePerson();
  const updates = updatesOf('one');
  await updates.insert(updateOf(person, {}));
  const picked = (await updates.pick(person.chatId)) ?? expect.fail('nothing was picked');
  const { id, attempt, traceparent } = picked;
  await updates.finish({
    id,
    attempt,
    traceparent,
    outcome: 'dead_letter',
    reason: 'INTERNAL_ERROR',
    effects: undefined,
  });
  await store.erase(person.chatId, person.userHash, noFollowUp);
  expect(await tablesOf(person.prompt)).toEqual([]);
  const letters = createDeadLetterStore(database);
  expect(await letters.redrive(await letters.find('f'.repeat(32)))).toBe(1);
  expect(await updates.pick(0)).toMatchObject({ id, body: { update_id: picked.updateId } });
});

test('no table knows a person that the erasure does not know', async () => {
  const columns = await testDatabase.query<{ place: string }>(
    `select table_name || '.' || column_name as place from information_schema.columns
     where table_schema = 'public' and table_name !~ '^journal_\\d' and column_name ~ 'chat|lane|user|owner|person'
     order by (table_name || column_name) collate "C"`,
  );
  // What is new here belongs into erase_user, into `erase` of personal-data.ts, and into `storePerson` above.
  expect(columns.map(({ place }) => place)).toEqual([
    'erased.user_hash',
    'follow_ups.lane',
    'holds.chat_id',
    'journal.user_hash',
    'ledger.chat_id',
    'messages.chat_id',
    'sessions.chat_id',
    'tasks.chat_id',
    'updates.lane',
    'users.chat_id',
    'users.username',
    'wallets.chat_id',
  ]);
});

test('nobody can be erased twice', async () => {
  const { chatId, userHash } = await storePerson();
  await store.erase(chatId, userHash, noFollowUp);
  expect(await store.erase(chatId, userHash, noFollowUp)).toBe('unknown');
});

test('the ledger takes no other change, nor this one outside of erasing', async () => {
  const { chatId } = await storePerson();
  const { chatId: erasedChat, userHash } = await storePerson();
  await store.erase(erasedChat, userHash, noFollowUp);
  const refused = { code: 'TW002' };
  const pseudonym = '(select min(pseudonym) from erased)';
  for (const change of [
    `set chat_id = ${pseudonym}`,
    `set chat_id = ${pseudonym}, available_delta = 1`,
    `set note = 'erased'`,
    `set ref = ref || 'x'`,
  ])
    await expect(
      database.query(`update ledger ${change} where chat_id = $1`, [chatId]),
      change,
    ).rejects.toMatchObject(refused);
  await expect(database.query('delete from ledger')).rejects.toMatchObject(refused);
  await expect(database.query('truncate ledger')).rejects.toMatchObject(refused);
});

test('what reaches the journal late about an erased person is swept, and what a new life writes is not', async () => {
  const { chatId, userHash } = await storePerson();
  const late = new Date();
  await store.erase(chatId, userHash, noFollowUp);
  const journal = openJournalStore(database);
  await journal.insert([
    journalRow({ userHash, at: late, lines: '{"name":"LATE"}' }),
    journalRow({ userHash, at: new Date(Date.now() + 60_000), lines: '{"name":"NEW"}' }),
  ]);
  await store.sweepJournal();
  const rows = await journal.byUser(userHash, { since: new Date(0), limit: 10 });
  expect(rows.map(({ lines }) => lines)).toEqual(['{"name":"NEW"}']);
});

// The last one: it takes the lease from the others.
test('under a lost lease nothing is erased and no consent is stored', async () => {
  const { chatId, userHash, prompt } = await storePerson();
  await takeLease(database);
  await expect(store.erase(chatId, userHash, noFollowUp)).rejects.toMatchObject({ code: 'LEASE_LOST' });
  await expect(store.saveConsent(chatId, true)).rejects.toMatchObject({ code: 'LEASE_LOST' });
  expect(await tablesOf(prompt)).toEqual(everywhere);
  const rows = await testDatabase.query('select prompt_consent from users where chat_id = $1', [chatId]);
  expect(rows).toEqual([{ prompt_consent: false }]);
});
