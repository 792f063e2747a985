// One user, and a bot that is killed at a chosen moment and started again on the same port and database, as a platform
// does it. What came of the one order is then read from all who know of it: the user's chat, KIE.ai, the database.
// Time that passes while nobody lives is taken from the times in the database.
import { expect } from 'vitest';
import { findFreePort } from '../../sandbox/free-port.ts';
import type { CallbackClick, SandboxUser } from '../../sandbox/telegram/index.ts';
import { createReconcile } from '../../src/billing/reconcile.ts';
import { type Line, waitFor } from './bot.ts';
import { type HeldStatement, holdStatement, type StatementPoint } from './held-statement.ts';
import { patienceMs } from './patience.ts';
import {
  type Program,
  type Surroundings,
  type SurroundingsOptions,
  startProgram,
  startSurroundings,
} from './process.ts';
import { walkToConfirm } from './walk.ts';

export interface TwoLives extends Surroundings, AsyncDisposable {
  readonly chat: SandboxUser;
  /** The bot that lives now, or did last. */
  readonly program: Program;
  /** Lines of all lives, in their order. */
  lines(name?: string): Line[];
  /** Resolves with all lines that fit when there are at least so many: they come through a pipe. */
  emitted(count: number, fits: (line: Line) => boolean): Promise<Line[]>;
  start(environment?: Readonly<Record<string, string>>): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** From now on the database stops at this statement. */
  stopAt(point: StatementPoint): Promise<HeldStatement>;
  /** Makes the times in this column earlier. */
  passTime(table: 'tasks' | 'deliveries', column: 'submitted_at' | 'claimed_at', ms: number): Promise<void>;
  /** Resolves when there is nothing to do before some minutes have passed. */
  quiet(deadlineMs?: number): Promise<void>;
  pictures(): number;
}

/** What a user gets as a welcome, see startSurroundings. */
const welcomeKopecks = 100_000;
export const waitMs = patienceMs;
/** A start takes a second of CPU: on a busy machine Telegram's 15 s may be over before a tap is worked again. */
const spinnerMs = 600_000;

export async function openTwoLives(options: SurroundingsOptions = {}): Promise<TwoLives> {
  await using stack = new AsyncDisposableStack();
  const surroundings = stack.use(
    await startSurroundings({ telegram: { callbackLifetimeMs: spinnerMs }, ...options }),
  );
  const { database } = surroundings;
  const port = String(await findFreePort());
  const programs: Program[] = [];
  const chat = surroundings.user();
  const owned = stack.move();
  const current = (): Program => programs.at(-1) ?? expect.fail('no bot has been started');
  const lines = (name?: string): Line[] =>
    programs.flatMap(program => program.lines.filter(line => name === undefined || line.name === name));

  return {
    ...surroundings,
    chat,
    get program() {
      return current();
    },
    lines,
    emitted: (count, fits) =>
      waitFor(
        `${count} lines`,
        () => {
          const fitting = lines().filter(fits);
          return fitting.length >= count ? fitting : undefined;
        },
        () =>
          lines()
            .map(({ name }) => name)
            .join(', '),
        waitMs,
      ),
    async start(environment = {}) {
      programs.push(
        owned.use(await startProgram({ ...surroundings.environment, PORT: port, ...environment })),
      );
    },
    async kill() {
      const program = current();
      program.signal('SIGKILL');
      expect(await program.exited).toEqual({ code: null, signal: 'SIGKILL' });
    },
    stopAt: async point => owned.use(await holdStatement(database, point)),
    async passTime(table, column, ms) {
      await database.query(
        `update ${table} set ${column} = ${column} - $1 * interval '1 millisecond' where ${column} is not null`,
        [ms],
      );
    },
    async quiet(deadlineMs = waitMs) {
      await waitFor(
        'nothing to do',
        async () => {
          // Of a job whose successor was planned while it ran, a crash leaves a row that never runs again.
          const [row] = await database.query<{ busy: boolean }>(
            `select exists (select 1 from updates where outcome is null) or exists (
               select 1 from graphile_worker.jobs
               where locked_at is not null or (attempts < max_attempts and run_at < now() + interval '1 minute')
             ) as busy`,
          );
          return row?.busy === false || undefined;
        },
        () => current().output.join('\n'),
        deadlineMs,
      );
    },
    pictures: () => chat.messages().filter(({ kind }) => kind === 'photo').length,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** A bot whose user has walked up to the confirmation of one picture. */
export async function openAtConfirm(
  options: SurroundingsOptions = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<TwoLives> {
  const lives = await openTwoLives(options);
  try {
    await lives.start(environment);
    await walkToConfirm(lives.chat, waitMs);
    return lives;
  } catch (error) {
    await lives[Symbol.asyncDispose]();
    throw error;
  }
}

export interface Ending {
  readonly run: CallbackClick;
  readonly kopecks: number;
  readonly money: 'charged' | 'released';
  readonly state: 'succeeded' | 'failed';
  /** Orders that KIE.ai has executed; 1 by default. */
  readonly orders?: number;
}

/**
 * Waits until all work is done, and checks what every crash must leave: one task, one hold and one settlement of it,
 * books that agree, one order at KIE.ai, one outcome for each update and an answer to the tap, and a chat in which
 * each thing that was owed has been recorded as sent.
 */
export async function expectOneOfEach(lives: TwoLives, ending: Ending): Promise<void> {
  const { run, kopecks, money, state, orders = 1 } = ending;
  const { database, kie, chat } = lives;
  await lives.quiet();
  expect(
    await database.query(
      'select tasks.state, holds.state as money, amount::int from tasks left join holds on holds.task_id = tasks.id',
    ),
  ).toEqual([{ state, money, amount: kopecks }]);
  expect(await database.query('select kind, available_delta::int as delta from ledger order by id')).toEqual([
    { kind: 'welcome', delta: welcomeKopecks },
    { kind: 'hold', delta: -kopecks },
    money === 'charged' ? { kind: 'charge', delta: 0 } : { kind: 'release', delta: kopecks },
  ]);
  expect(
    await database.query('select available::int, held::int from wallets where chat_id = $1', [chat.chatId]),
  ).toEqual([{ available: welcomeKopecks - (money === 'charged' ? kopecks : 0), held: 0 }]);
  expect(await differencesOf(lives)).toEqual([]);
  expect(kie.createdCount()).toBe(orders);
  const updates = await database.query<{ update_id: string; outcome: string }>(
    'select update_id, outcome from updates order by id',
  );
  expect(updates.map(({ outcome }) => outcome)).toEqual(updates.map(() => 'accepted'));
  expect(updates.filter(({ update_id }) => Number(update_id) === run.updateId)).toHaveLength(1);
  await chat.answerOf(run, waitMs);
  expect(
    await database.query('select kind from deliveries where finished_at is null or reason_code is not null'),
  ).toEqual([]);
  // What was emitted was emitted once; a crash may swallow it.
  for (const name of ['TASK_CREATED', 'BALANCE_HOLD', 'BALANCE_CHARGE', 'BALANCE_RELEASE', 'WALLET_MISMATCH'])
    expect(lives.lines(name).length, name).toBeLessThanOrEqual(name === 'WALLET_MISMATCH' ? 0 : 1);
}

/** What the audit of the wallets finds. */
export async function differencesOf({ database }: Pick<Surroundings, 'database'>) {
  const connected = database.connect(1);
  try {
    return await createReconcile({ database: connected, telemetry: { emit: () => undefined } }).run();
  } finally {
    await connected.stop();
  }
}
