// Several programs as one bot: same database, same Telegram, behind one address. And the history checker, which
// reads afterwards what came of everything that was acknowledged, whoever did it.
import { expect } from 'vitest';
import { findFreePort } from '../../src/sandbox/free-port.ts';
import type { Proxies } from '../../src/sandbox/proxies.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { type Line, waitFor } from './bot.ts';
import type { TestDatabase } from './database.ts';
import {
  type Program,
  runProgram,
  type Surroundings,
  type SurroundingsOptions,
  startSurroundings,
} from './process.ts';

export interface Instance extends Program {
  readonly port: number;
  readonly id: string;
  /** Its own way to the database and the suppliers. */
  readonly proxies: Proxies;
  /** Takes it out of the platform's rotation, as a platform does that has ended it. */
  leaveRotation(): void;
}

export interface Fleet extends AsyncDisposable {
  readonly surroundings: Surroundings;
  /** Starts one more instance and resolves once it takes updates, ACTIVE or not. */
  start(environment?: Readonly<Record<string, string>>): Promise<Instance>;
  /** All lines of all instances, in the order of their time. */
  lines(): readonly Line[];
}

export interface FleetOptions extends SurroundingsOptions {
  readonly environment?: Readonly<Record<string, string>>;
}

/** Production's limits would make each test a minute longer; the relations between them are the same. */
const lockTimings = {
  LOCK_HEARTBEAT_SECONDS: '0.5',
  STALE_IDLE_SECONDS: '2',
  LOCK_RELEASE_WAIT_SECONDS: '1',
} as const;

export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  await using stack = new AsyncDisposableStack();
  const surroundings = stack.use(await startSurroundings(options));
  const balancer: Balancer = stack.use(await startBalancer());
  const instances: Instance[] = [];
  const owned = stack.move();
  return {
    surroundings,
    async start(environment = {}) {
      const port = await findFreePort();
      const proxies = await surroundings.proxies();
      const program = runProgram({
        ...proxies.environment,
        ...lockTimings,
        PORT: String(port),
        WEBHOOK_BASE_URL: balancer.url,
        ...options.environment,
        ...environment,
      });
      owned.defer(async () => {
        // A frozen process hears no signal.
        program.signal('SIGCONT');
        await program.stop();
      });
      const boot = await Promise.race([
        program.waitForEvent('BOOT_OK'),
        program.exited.then(exit => {
          throw new Error(`The instance ended: ${JSON.stringify(exit)}\n${program.output.join('\n')}`);
        }),
      ]);
      balancer.add(port);
      const instance: Instance = Object.assign(program, {
        port,
        id: String(boot.instance_id),
        proxies,
        leaveRotation: () => balancer.remove(port),
      });
      instances.push(instance);
      return instance;
    },
    lines: () =>
      instances.flatMap(({ lines }) => lines).toSorted((a, b) => String(a.ts).localeCompare(String(b.ts))),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

const endDeadlineMs = 40_000;
/** Telegram shows a spinner for so long. */
const answerLimitMs = 15_000;

/**
 * Waits until everything acknowledged has ended, and checks the whole history: each update that Telegram was told
 * 200 for has exactly one row with an outcome, in the order of its chat, epochs never fall in the order of the
 * commits, every tap was answered in time, no task was given to KIE.ai twice, and the books are sound.
 */
export async function expectSoundHistory(
  fleet: Fleet,
  acknowledged: readonly { readonly updateId: number }[],
  { cluster = false }: { readonly cluster?: boolean } = {},
): Promise<void> {
  const { database, telegram, kie } = fleet.surroundings;
  const rows = await waitFor(
    'the end of every update',
    async () => {
      const found = await database.query<{
        id: string;
        lane: string;
        update_id: string;
        outcome: string | null;
        epoch: string | null;
        event_type: string;
        received_at: Date;
        callback_id: string | null;
      }>(
        `select id, lane, update_id, outcome, epoch, event_type, received_at, body->'callback_query'->>'id' as callback_id
         from updates order by finished_at`,
      );
      const ended = new Set(
        found.filter(({ outcome }) => outcome !== null).map(row => Number(row.update_id)),
      );
      return acknowledged.every(({ updateId }) => ended.has(updateId)) ? found : undefined;
    },
    undefined,
    endDeadlineMs,
  );
  expect(rows.map(row => Number(row.update_id)).toSorted((a, b) => a - b)).toEqual(
    acknowledged.map(({ updateId }) => updateId).toSorted((a, b) => a - b),
  );
  const inOrder = new Map<string, number[]>();
  // What was refused at its receipt overtakes what waits.
  for (const { lane, id } of rows.filter(({ epoch }) => epoch !== null))
    inOrder.set(lane, [...(inOrder.get(lane) ?? []), Number(id)]);
  // Rows come in the order of their commits.
  for (const ids of inOrder.values()) expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  const epochs = rows.flatMap(({ epoch }) => (epoch === null ? [] : [Number(epoch)]));
  // In a cluster each member has epochs of its own.
  if (!cluster) expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));

  const answers = telegram.calls('answerCallbackQuery');
  for (const { callback_id, received_at } of rows) {
    if (callback_id === null) continue;
    const first = answers.find(({ payload }) => payload.callback_query_id === callback_id);
    expect(first, `an answer to ${callback_id}`).toBeDefined();
    expect((first?.at ?? Number.POSITIVE_INFINITY) - received_at.getTime()).toBeLessThan(answerLimitMs);
  }
  const tasks = await database.query<{ vendor_task_id: string | null }>('select vendor_task_id from tasks');
  expect(kie.createdCount()).toBeLessThanOrEqual(tasks.length);
  await expectSoundMoney(database);
}

/**
 * Checks the books after everything has ended: the ledger adds up to the wallets, nothing is held any more, every
 * sold task has one hold and one end of it, paid or given back as the task ended, and nobody was welcomed twice.
 */
async function expectSoundMoney(database: TestDatabase): Promise<void> {
  const running = () =>
    database.query(`select id from tasks where state not in ('succeeded', 'failed') and quote is not null`);
  await waitFor(
    'the end of every task',
    async () => ((await running()).length === 0 ? true : undefined),
    undefined,
    endDeadlineMs,
  );
  const wallets = await database.query(
    `select wallets.chat_id, wallets.available, wallets.held, sums.available as sum_available, sums.held as sum_held
     from wallets full join (
       select chat_id, sum(available_delta) as available, sum(held_delta) as held from ledger group by chat_id
     ) as sums using (chat_id)
     where wallets.available is distinct from sums.available or wallets.held is distinct from sums.held
       or wallets.available < 0 or wallets.held <> 0`,
  );
  expect(wallets, 'wallets that differ from their ledger, or hold something').toEqual([]);
  // A result that comes after the failure stays free.
  const tasks = await database.query(
    `select tasks.id, tasks.state, coalesce(moves, '{}') as moves
     from tasks left join (
       select task_id, array_agg(kind order by kind) as moves from ledger group by task_id
     ) as made on made.task_id = tasks.id
     where tasks.quote is not null and moves is distinct from
       case when tasks.state = 'failed'
              or exists (select 1 from deliveries where task_id = tasks.id and kind = 'failure')
         then array['hold', 'release'] else array['charge', 'hold'] end`,
  );
  expect(tasks, 'tasks whose hold was not settled once, as they ended').toEqual([]);
  const welcomed = await database.query(
    `select chat_id from ledger where kind = 'welcome' group by chat_id having count(*) > 1`,
  );
  expect(welcomed, 'users who were welcomed twice').toEqual([]);
}

/** The epochs under which outcomes were committed, each once, in their order. */
export async function epochsOf({ surroundings }: Fleet): Promise<number[]> {
  const rows = await surroundings.database.query<{ epoch: string }>(
    'select epoch from updates where epoch is not null group by epoch order by epoch',
  );
  return rows.map(({ epoch }) => Number(epoch));
}
