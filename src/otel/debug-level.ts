// The level of all instances: their own, or DEBUG until a time that an administrator has set. The database keeps that
// time, so it holds after a restart; every instance looks for it every few seconds, and comes back to its own level by
// itself when the time is over, database or not.
import type { Level } from './fields.ts';
import type { Logger } from './logger.ts';
import type { Telemetry } from './telemetry.ts';

export interface DebugPeriod {
  readonly until: Date;
  /** By the clock that `until` is read from. */
  readonly remainingMs: number;
  /** The user_hash of the administrator. */
  readonly by: string;
}

/** What all instances share. */
export interface DebugLevelStore {
  /** undefined when there is no such time, or it is over. */
  read(): Promise<DebugPeriod | undefined>;
  enable(minutes: number, by: string): Promise<DebugPeriod>;
  disable(): Promise<void>;
}

export interface DebugState {
  /** undefined: this instance is at its own level. */
  readonly until: Date | undefined;
}

export interface DebugLevel {
  /** Looks now and from then on. Never rejects: without the database the level is the instance's own. */
  start(): Promise<void>;
  /** All instances, within seconds; anew from now when it was enabled before. `by`: the user_hash of the administrator. */
  enable(order: { readonly minutes: number; readonly by: string }): Promise<DebugState>;
  disable(order: { readonly by: string }): Promise<DebugState>;
  /** Of this instance. */
  state(): DebugState;
  stop(): void;
}

export interface DebugLevelOptions {
  readonly store: DebugLevelStore;
  readonly logger: Pick<Logger, 'setLevel'>;
  /** Of this instance, outside such times. */
  readonly level: Level;
  readonly telemetry: Pick<Telemetry, 'emit' | 'warn'>;
  readonly lookEveryMs?: number;
}

const defaultLookEveryMs = 5_000;
/** A longer one would fire at once. The next look goes on from there. */
const longestTimerMs = 2 ** 31 - 1;

export function createDebugLevel(options: DebugLevelOptions): DebugLevel {
  const { store, logger, telemetry, lookEveryMs = defaultLookEveryMs } = options;
  let period: DebugPeriod | undefined;
  let ending: NodeJS.Timeout | undefined;
  let looking: NodeJS.Timeout | undefined;
  /** Commands that were given here: a look that began before the end of one may have seen what was before. */
  let commands = 0;
  let commanding = 0;
  let isBlind = false;
  let isStopped = false;

  function begin(next: DebugPeriod, operation: 'command' | 'follow'): void {
    const isNew = next.until.getTime() !== period?.until.getTime();
    period = next;
    logger.setLevel('DEBUG');
    clearTimeout(ending);
    ending = setTimeout(() => end('expired'), Math.min(next.remainingMs, longestTimerMs));
    ending.unref();
    if (isNew)
      telemetry.emit('DEBUG_ENABLED', { operation, user_hash: next.by, until: next.until.toISOString() });
  }

  function end(operation: 'command' | 'follow' | 'expired', by?: string): void {
    if (!period) return;
    period = undefined;
    clearTimeout(ending);
    logger.setLevel(options.level);
    telemetry.emit('DEBUG_DISABLED', { operation, user_hash: by });
  }

  async function look(): Promise<void> {
    const before = commands;
    try {
      const found = await store.read();
      isBlind = false;
      if (isStopped || commanding > 0 || before !== commands) return;
      if (found) begin(found, 'follow');
      else end('follow');
    } catch (error) {
      // Once, not every few seconds: others complain about the same database.
      if (!isBlind) telemetry.warn('read the debug level', error, 'DB_ERROR');
      isBlind = true;
    }
  }

  async function command<T>(work: () => Promise<T>): Promise<T> {
    commanding += 1;
    try {
      return await work();
    } finally {
      commanding -= 1;
      commands += 1;
    }
  }

  const state = (): DebugState => ({ until: period?.until });

  return {
    state,
    async start() {
      await look();
      looking = setInterval(() => void look(), lookEveryMs);
      looking.unref();
    },
    async enable({ minutes, by }) {
      begin(await command(() => store.enable(minutes, by)), 'command');
      return state();
    },
    async disable({ by }) {
      await command(() => store.disable());
      end('command', by);
      return state();
    },
    stop() {
      isStopped = true;
      clearInterval(looking);
      clearTimeout(ending);
    },
  };
}
