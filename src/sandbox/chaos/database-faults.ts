// What happens to Postgres and on the way to it.
import type { TcpProxy } from '../tcp-proxy.ts';
import { defineFaults, type End, type Occasion, repeatedly } from './fault.ts';
import type { Ground } from './ground.ts';

/** What work waits for when it is locked. */
const lockableTables = ['updates', 'leases', 'tasks', 'wallets', 'sessions', 'deliveries'] as const;

const healPostgres = ({ slot }: Occasion): End => healed(slot.proxies.postgres);

export const databaseFaults = defineFaults({
  'sessions-ended': {
    weight: 2,
    seconds: [0, 0],
    touches: 'instance',
    leavesAWay: true,
    async begin(ground, { slot }) {
      await endSessions(ground, slot.instanceId, 'all');
      return () => undefined;
    },
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
  'mute-all': {
    weight: 2,
    seconds: [5, 20],
    touches: 'instance',
    leavesAWay: true,
    begin(_ground, occasion) {
      occasion.slot.proxies.postgres.setPassage({ kind: 'mute' }, { to: 'open' });
      return healPostgres(occasion);
    },
  },
  'mute-third': {
    weight: 2,
    seconds: [5, 20],
    touches: 'instance',
    leavesAWay: true,
    begin(_ground, occasion) {
      occasion.slot.proxies.postgres.setPassage({ kind: 'mute' }, { to: 'open', share: 1 / 3 });
      return healPostgres(occasion);
    },
  },
  'mute-answers': {
    weight: 2,
    seconds: [3, 12],
    touches: 'instance',
    leavesAWay: true,
    begin(_ground, occasion) {
      occasion.slot.proxies.postgres.setPassage({ kind: 'mute', answersOnly: true }, { to: 'open' });
      return healPostgres(occasion);
    },
  },
  'mute-new-too': {
    weight: 1,
    seconds: [3, 12],
    touches: 'instance',
    begin(_ground, occasion) {
      occasion.slot.proxies.postgres.setPassage({ kind: 'mute' });
      return healPostgres(occasion);
    },
  },
  'primary-vanished': {
    weight: 1,
    seconds: [4, 15],
    touches: 'everything',
    begin({ slots }) {
      for (const { proxies } of slots) proxies.postgres.setPassage({ kind: 'mute' }, { to: 'open' });
      return () => Promise.all(slots.map(({ proxies }) => healed(proxies.postgres)())).then(() => undefined);
    },
  },
  'postgres-cut': {
    weight: 2,
    seconds: [0, 3],
    touches: 'instance',
    begin(_ground, occasion) {
      const { postgres } = occasion.slot.proxies;
      if (occasion.random.chance(0.5)) postgres.refuse();
      postgres.cut();
      return healPostgres(occasion);
    },
  },
  'postgres-slow': {
    weight: 2,
    seconds: [3, 12],
    touches: 'instance',
    leavesAWay: true,
    begin(_ground, occasion) {
      const latencyMs = occasion.random.between(20, 200);
      occasion.slot.proxies.postgres.setPassage({ kind: 'slow', latencyMs });
      return () => occasion.slot.proxies.postgres.setPassage({ kind: 'pass' });
    },
  },
  'postgres-restart': {
    weight: 1,
    seconds: [0, 0],
    touches: 'everything',
    async begin({ postgres }) {
      await postgres.crash();
      return () => undefined;
    },
  },
  'read-only': {
    weight: 1,
    seconds: [2, 8],
    touches: 'everything',
    async begin({ ask }) {
      await ask('alter system set default_transaction_read_only = on');
      await ask('select pg_reload_conf()');
      return async () => {
        await ask('alter system reset default_transaction_read_only');
        await ask('select pg_reload_conf()');
      };
    },
  },
  'table-locked': {
    weight: 2,
    seconds: [1, 8],
    touches: 'everything',
    begin: ({ ask }, { random }) => {
      const table = random.pick(lockableTables);
      const ending = new AbortController();
      const held = (async () => {
        // In pieces, so that it ends in time, and gives whoever waits a turn.
        while (!ending.signal.aborted)
          await ask(`do $$ begin lock table ${table} in access exclusive mode; perform pg_sleep(1); end $$`);
      })();
      return async () => {
        ending.abort();
        await held;
      };
    },
  },
});

/** New connections pass; those that said nothing are broken off, as by a peer that is asked for them again. */
function healed(postgres: TcpProxy): End {
  return () => {
    postgres.setPassage({ kind: 'pass' }, { to: 'new' });
    postgres.cut();
  };
}

async function endSessions(
  { ask }: Ground,
  instanceId: string | undefined,
  which: 'all' | 'all but the lock' | 'some',
): Promise<void> {
  await ask(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = $1 and case $2
       when 'all' then true
       when 'some' then random() < 0.5
       else not exists (select 1 from pg_locks where pg_locks.pid = pg_stat_activity.pid and locktype = 'advisory')
     end`,
    [instanceId ?? '', which],
  );
}
