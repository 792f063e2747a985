// What one instance does for all of them now and then. When something is due stands in the database, so a process that
// is restarted every hour does all of it, and one that was away for a day does it when it is back. What fails is logged
// and tried again after minutes.
import type { Telemetry } from '../otel/telemetry.ts';
import type { ChoreName } from '../otel/warning-operations.ts';
import type { HousekeepingStore } from '../storage/housekeeping-store.ts';

export interface Chore {
  readonly everyMs: number;
  readonly run: () => Promise<unknown>;
}

export interface Housekeeping {
  /** Begins nothing more. What is under way is not waited for: it can be done again. */
  stop(): void;
}

type Chores = Readonly<Partial<Record<ChoreName, Chore>>>;

export interface HousekeepingOptions {
  readonly store: HousekeepingStore;
  /** By what each is called, also in the lines about its trouble. */
  readonly chores: Chores;
  readonly telemetry: Pick<Telemetry, 'warn'>;
}

const lookEveryMs = 30_000;
const retryMs = 5 * 60_000;

/** For the instance in charge. Looks at once for what became due while nobody was. */
export function startHousekeeping({ store, chores, telemetry }: HousekeepingOptions): Housekeeping {
  /** One that takes longer than `retryMs` is due again meanwhile. */
  const underWay = new Set<string>();
  let isPlanned = false;
  let isLooking = false;

  async function look(): Promise<void> {
    if (!isPlanned)
      await store.plan(
        Object.fromEntries(Object.entries(chores).map(([name, { everyMs }]) => [name, everyMs])),
      );
    isPlanned = true;
    // SAFETY: the keys of the table.
    const idle = (Object.keys(chores) as ChoreName[]).filter(name => !underWay.has(name));
    const due = await store.take(idle, retryMs);
    for (const name of idle) if (due.includes(name)) void work(name);
  }

  /** Never rejects. */
  async function work(name: ChoreName): Promise<void> {
    const chore = chores[name];
    if (!chore) return;
    underWay.add(name);
    try {
      await chore.run();
      await store.done(name, chore.everyMs);
    } catch (error) {
      telemetry.warn(name, error, 'DB_ERROR');
    } finally {
      underWay.delete(name);
    }
  }

  function lookAgain(): void {
    if (isLooking) return;
    isLooking = true;
    look()
      .catch((error: unknown) => telemetry.warn('look for housekeeping', error, 'DB_ERROR'))
      .finally(() => {
        isLooking = false;
      });
  }

  lookAgain();
  const timer = setInterval(lookAgain, lookEveryMs);
  return { stop: () => clearInterval(timer) };
}
