// What happens to Postgres and on the way to it.
import type { TcpProxy } from '../tcp-proxy.ts';
import { defineFaults, type Occasion, repeatedly, risingFrom, type Strike } from './fault.ts';
import type { Ground } from './ground.ts';

/** What work waits for when it is locked. */
const lockableTables = ['updates', 'leases', 'tasks', 'wallets', 'sessions', 'deliveries'] as const;

/**
 * Each instance has two ways to Postgres: one for its work, one for its lock, its queue and its journal. A fault of a way
 * strikes both, or only one.
 */
type Way = 'work' | 'lock';
const chosenWays: readonly (readonly Way[])[] = [['work', 'lock'], ['work', 'lock'], ['work'], ['lock']];

export const databaseFaults = defineFaults({
  'sessions-ended': {
    weight: 2,
    seconds: [0, 0],
    touches: 'instance',
    leavesAWay: true,
    begin: (ground, { slot }) => repeatedly(1_000, () => endSessions(ground, slot.instanceId, 'all')),
  },
  'sessions-ended-again': {
    weight: 3,
    seconds: [4, 12],
    touches: 'instance',
    begin: (ground, { slot }) =>
      repeatedly(1_500, () => endSessions(ground, slot.instanceId, 'all but the lock')),
  },
  'some-sessions-ended': {
    weight: 2,
    seconds: [3, 10],
    touches: 'instance',
    leavesAWay: true,
    begin: (ground, { slot }) => repeatedly(1_000, () => endSessions(ground, slot.instanceId, 'some')),
  },
  /** Whoever has it loses the lock, and nothing else. */
  'lock-session-ended': {
    weight: 2,
    seconds: [0, 0],
    touches: 'instance',
    leavesAWay: true,
    onlyIn: 'single',
    begin: ground => repeatedly(1_000, () => endLockSession(ground)),
  },
  'mute-all': {
    weight: 2,
    seconds: [5, 20],
    touches: 'instance',
    leavesAWay: true,
    begin: (_ground, occasion) =>
      strikeWays(waysOf(occasion), way => way.setPassage({ kind: 'mute' }, { to: 'open' })),
  },
  'mute-third': {
    weight: 2,
    seconds: [5, 20],
    touches: 'instance',
    leavesAWay: true,
    begin: (_ground, { slot }) =>
      strikeWays([slot.proxies.postgres, slot.proxies.lock], way =>
        way.setPassage({ kind: 'mute' }, { to: 'open', share: 1 / 3 }),
      ),
  },
  'mute-answers': {
    weight: 2,
    seconds: [3, 12],
    touches: 'instance',
    leavesAWay: true,
    begin: (_ground, occasion) =>
      strikeWays(waysOf(occasion), way =>
        way.setPassage({ kind: 'mute', answersOnly: true }, { to: 'open' }),
      ),
  },
  'mute-new-too': {
    weight: 1,
    seconds: [3, 12],
    touches: 'instance',
    begin: (_ground, occasion) => strikeWays(waysOf(occasion), way => way.setPassage({ kind: 'mute' })),
  },
  'primary-vanished': {
    weight: 1,
    seconds: [4, 15],
    touches: 'everything',
    begin: ({ slots }) =>
      strikeWays(
        slots.flatMap(({ proxies }) => [proxies.postgres, proxies.lock]),
        way => way.setPassage({ kind: 'mute' }, { to: 'open' }),
      ),
  },
  'postgres-cut': {
    weight: 2,
    seconds: [0, 3],
    touches: 'instance',
    begin(_ground, occasion) {
      const isRefused = occasion.random.chance(0.5);
      return strikeWays(waysOf(occasion), way => {
        if (isRefused) way.refuse();
        way.cut();
      });
    },
  },
  'postgres-slow': {
    weight: 2,
    seconds: [3, 12],
    touches: 'instance',
    leavesAWay: true,
    begin(_ground, occasion) {
      const latencyMs = occasion.random.between(20, 200);
      const ways = waysOf(occasion);
      for (const way of ways) way.setPassage({ kind: 'slow', latencyMs });
      return {
        hits: hindrancesOf(ways),
        end() {
          for (const way of ways) way.setPassage({ kind: 'pass' });
        },
      };
    },
  },
  'postgres-restart': {
    weight: 1,
    seconds: [0, 0],
    touches: 'everything',
    async begin({ postgres }) {
      await postgres.crash();
      return { hits: () => 1, end: () => undefined };
    },
  },
  'read-only': {
    weight: 1,
    seconds: [2, 8],
    touches: 'everything',
    async begin({ ask }) {
      await ask('alter system set default_transaction_read_only = on');
      await ask('select pg_reload_conf()');
      return {
        hits: () => 1,
        async end() {
          await ask('alter system reset default_transaction_read_only');
          await ask('select pg_reload_conf()');
        },
      };
    },
  },
  'table-locked': {
    weight: 2,
    seconds: [1, 8],
    touches: 'everything',
    begin({ ask }, { random }) {
      const table = random.pick(lockableTables);
      return repeatedly(0, async () => {
        // In pieces, so that it ends in time, and gives whoever waits a turn.
        await ask(`do $$ begin lock table ${table} in access exclusive mode; perform pg_sleep(1); end $$`);
        return 1;
      });
    },
  },
});

function waysOf({ slot, random }: Occasion): TcpProxy[] {
  const ways = random.pick(chosenWays);
  return ways.map(way => (way === 'work' ? slot.proxies.postgres : slot.proxies.lock));
}

/** From now on. */
function hindrancesOf(ways: readonly TcpProxy[]): () => number {
  return risingFrom(() => ways.reduce((sum, { hindrances }) => sum + hindrances, 0));
}

const strikeAgainMs = 500;

/**
 * Strikes until something is hit: at one moment an instance may have no connection. In the end new connections pass;
 * those that said nothing are broken off, as by a peer that is asked for them again.
 */
function strikeWays(ways: readonly TcpProxy[], strike: (way: TcpProxy) => void): Strike {
  const hits = hindrancesOf(ways);
  const striking = repeatedly(strikeAgainMs, async () => {
    if (hits() === 0) for (const way of ways) strike(way);
    return 0;
  });
  return {
    hits,
    async end() {
      await striking.end();
      for (const way of ways) {
        way.setPassage({ kind: 'pass' }, { to: 'new' });
        way.cut();
      }
    },
  };
}

/** Resolves with how many there were. */
async function endSessions(
  { ask }: Ground,
  instanceId: string | undefined,
  which: 'all' | 'all but the lock' | 'some',
): Promise<number> {
  const ended = await ask(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = $1 and case $2
       when 'all' then true
       when 'some' then random() < 0.5
       else not exists (select 1 from pg_locks where pg_locks.pid = pg_stat_activity.pid and locktype = 'advisory')
     end`,
    [instanceId ?? '', which],
  );
  return ended.length;
}

async function endLockSession({ ask }: Ground): Promise<number> {
  const ended = await ask(
    // Of two numbers, and granted: that of the bot. Those who wait for it have it not.
    `select pg_terminate_backend(pid) from pg_locks
     where locktype = 'advisory' and objsubid = 2 and granted and mode = 'ExclusiveLock'`,
  );
  return ended.length;
}
