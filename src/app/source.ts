// Makes this instance the one that Telegram's updates come to while it is in charge: registers it, polls where that is
// the mode, looks whether updates still come here, and keeps house for all instances.
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../errors.ts';
import { underLease } from '../lock/lease.ts';
import type { Running } from '../lock/role-task.ts';
import type { Tenure } from '../lock/tenure.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { SourceWatch, Watching } from '../telegram/source-watch.ts';
import type { Housekeeping } from './housekeeping.ts';

export interface SourceOptions {
  /** Its end may come before this has begun. */
  readonly tenure: Tenure;
  /** Registers at Telegram where to send updates. */
  readonly register: () => Promise<void>;
  /** Registers at Telegram which commands users can choose from. */
  readonly registerCommands: () => Promise<void>;
  /** What can never be registered then keeps the process from starting; all else is tried until it succeeds. */
  readonly isStarting: boolean;
  /** Absent where Telegram sends them. */
  readonly startPolling: (() => { stop(): Promise<void> }) | undefined;
  /** What one instance does for all of them meanwhile. */
  readonly startHousekeeping: () => Housekeeping;
  readonly watch: Pick<SourceWatch, 'start'>;
  readonly telemetry: Pick<Telemetry, 'warn'>;
}

const registrationPauseMs = 5_000;

/** Makes this instance the one that Telegram's updates come to. */
export async function openSource(options: SourceOptions): Promise<Running> {
  const { tenure, isStarting } = options;
  let watching: Watching | undefined;
  // Until it has registered itself, where updates go is what its predecessor has registered.
  const watch = (): void => {
    if (!tenure.signal.aborted) watching = options.watch.start(tenure);
  };
  const isRegistered = isStarting && (await registerAtStart(options, options.register));
  if (isRegistered) watch();
  const hasCommands = isRegistered && (await registerAtStart(options, options.registerCommands));
  const registered = (async () => {
    if (!isRegistered && (await keepTrying(options, options.register))) watch();
    if (!hasCommands) await keepTrying(options, options.registerCommands);
  })();
  const settled = async (): Promise<void> => watching?.settled();
  const polling = tenure.signal.aborted ? undefined : options.startPolling?.();
  const housekeeping = tenure.signal.aborted ? undefined : options.startHousekeeping();
  return {
    settled,
    async stop() {
      housekeeping?.stop();
      watching?.stop();
      await Promise.all([registered, polling?.stop(), settled()]);
    },
  };
}

type Registration = SourceOptions['register'];

/** False where it may succeed later; rejects where it never will. */
async function registerAtStart(options: SourceOptions, register: Registration): Promise<boolean> {
  try {
    await underTenure(options, register);
    return true;
  } catch (error) {
    if (error instanceof AppError && !error.retryable) throw error;
    options.telemetry.warn('register at Telegram', error);
    return false;
  }
}

/** Until it succeeds; false where it is not wanted any more. Never rejects. */
async function keepTrying(options: SourceOptions, register: Registration): Promise<boolean> {
  const { signal } = options.tenure;
  while (!signal.aborted) {
    try {
      await underTenure(options, register);
      return true;
    } catch (error) {
      options.telemetry.warn('register at Telegram', error);
      await sleep(registrationPauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return false;
}

/** Not after somebody else may have registered: what was frozen in between would take the updates away from them. */
function underTenure({ tenure }: SourceOptions, register: Registration): Promise<void> {
  return underLease(tenure.lease, register, tenure.isLost);
}
