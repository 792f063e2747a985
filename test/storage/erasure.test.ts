// Erasing a person: nothing of theirs is left in any table, the money adds up without them, nobody else is touched, and
// nothing happens while something still runs or under a lost lease.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createReconcile } from '../../src/billing/reconcile.ts';
import { createWallet, type Wallet } from '../../src/billing/wallet.ts';
import type { CurrentLease } from '../../src/lock/lease.ts';
import type { Database } from '../../src/storage/database.ts';
import { createPersonalDataStore, type PersonalDataStore } from '../../src/storage/personal-data.ts';
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
  store = createPersonalDataStore(database, lease);
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

test('an update that waits to be worked is not erased', async () => {
  const { chatId, userHash, prompt } = await storePerson();
  await database.query('update updates set outcome = null, finished_at = null where lane = $1', [chatId]);
  expect(await store.erase(chatId, userHash, noFollowUp)).toBe('erased');
  expect(await tablesOf(prompt)).toContain('public.updates');
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

test('what the journal is told late about an erased person is swept, and what a new life tells is not', async () => {
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
