// Several programs as one bot: same database, same Telegram, behind one address. And the history checker, which
// reads afterwards what came of everything that was acknowledged, whoever did it.
import { expect } from 'vitest';
import { type Balancer, startBalancer } from '../../sandbox/balancer.ts';
import { findFreePort } from '../../sandbox/free-port.ts';
import { historyOf } from '../../sandbox/history/history.ts';
import { checkHistory } from '../../sandbox/history/laws.ts';
import { readStored } from '../../sandbox/history/stored.ts';
import { answersOf, ordersOf } from '../../sandbox/history/suppliers.ts';
import type { Proxies } from '../../sandbox/proxies.ts';
import { type Line, waitFor } from './bot.ts';
import { patienceMs } from './patience.ts';
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

/**
 * Production's limits would make each test a minute longer; the relations between them are the same. What is shorter
 * than this a busy machine does not keep: then instances lose their leases without a fault.
 */
const lockTimings = {
  LOCK_HEARTBEAT_SECONDS: '1',
  STALE_IDLE_SECONDS: '6',
  LOCK_RELEASE_WAIT_SECONDS: '2',
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

/** Telegram shows a spinner for so long. */
const answerLimitMs = 15_000;

/**
 * Waits until everything acknowledged has ended, every sold task too, and checks the whole history: see
 * sandbox/history/laws.ts for what it must keep.
 */
export async function expectSoundHistory(
  fleet: Fleet,
  acknowledged: readonly { readonly updateId: number }[],
  { cluster = false }: { readonly cluster?: boolean } = {},
): Promise<void> {
  const { database, telegram, kie } = fleet.surroundings;
  const wanted = acknowledged.map(({ updateId }) => updateId);
  await waitFor(
    'the end of every update and every task',
    async () => {
      const [row] = await database.query<{ open: boolean }>(
        `select exists (
           select 1 from unnest($1::bigint[]) as wanted (update_id)
           where not exists (
             select 1 from updates where updates.update_id = wanted.update_id and outcome is not null)
         ) or exists (select 1 from tasks where state not in ('succeeded', 'failed') and quote is not null) as open`,
        [wanted],
      );
      return row?.open === false || undefined;
    },
    undefined,
    patienceMs,
  );
  const history = historyOf({
    ...(await readStored(database.query)),
    isCluster: cluster,
    acknowledged: wanted,
    answers: answersOf(telegram),
    answerLimitMs,
    orders: ordersOf(kie),
  });
  expect(checkHistory(history), 'breaches of the laws of every history').toEqual([]);
}

/** The epochs under which outcomes were committed, each once, in their order. */
export async function epochsOf({ surroundings }: Fleet): Promise<number[]> {
  const rows = await surroundings.database.query<{ epoch: string }>(
    'select epoch from updates where epoch is not null group by epoch order by epoch',
  );
  return rows.map(({ epoch }) => Number(epoch));
}
