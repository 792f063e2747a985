// What is known beside a chain: how the service was when it happened. Each fact is optional; what is unknown proves
// nothing. Health and Telegram's own report give most of them, the lines of the processes the rest.
import { type ChainEvent, textOf } from './chain.ts';

export interface Surroundings {
  /** The time of asking; without it nobody can say whether something still runs. */
  readonly now?: Date | undefined;
  /** Events outside of any update: starts and stops, the lock, the database, the suppliers. */
  readonly processEvents?: readonly ChainEvent[] | undefined;
  /** Since any update was received, by anybody. */
  readonly minutesWithoutUpdate?: number | undefined;
  /** What getWebhookInfo says went wrong last; undefined when it reports nothing. */
  readonly webhookError?: string | undefined;
  /** Updates that Telegram holds for us, by getWebhookInfo. */
  readonly webhookPending?: number | undefined;
  readonly hasActiveInstance?: boolean | undefined;
  readonly isDatabaseUp?: boolean | undefined;
  /** Age of the oldest update that nobody has picked. */
  readonly oldestUnpickedMs?: number | undefined;
}

/** An update that waits so long is not just behind its neighbours. */
export const stuckAfterMs = 60_000;
/** Without updates for so long, in a service that is used, something keeps them away. */
export const quietAfterMinutes = 10;
/** What happened to a process so shortly before or after a chain may be its cause. */
const nearMs = 30_000;
const processDomains: ReadonlySet<string> = new Set(['SYSTEM', 'LOCK']);

/** The events of the process that are near in time, of one instance where it is given. */
export function processEventsNear(
  { processEvents = [] }: Surroundings,
  at: Date,
  instanceId?: string,
): readonly ChainEvent[] {
  return processEvents.filter(
    event =>
      Math.abs(event.at.getTime() - at.getTime()) <= nearMs &&
      (instanceId === undefined || textOf(event, 'instance_id') === instanceId),
  );
}

/** That the database failed, told by a process. */
export function isDatabaseTrouble(event: ChainEvent): boolean {
  return event.name === 'SYSTEM_WARNING' && textOf(event, 'reason_code') === 'DB_ERROR';
}

/** The surroundings as a log alone tells them: its last line is the time of asking. */
export function surroundingsOfEvents(events: readonly ChainEvent[]): Surroundings {
  const times = events.map(({ at }) => at.getTime());
  return {
    ...(times.length > 0 ? { now: new Date(times.reduce((a, b) => Math.max(a, b))) } : {}),
    processEvents: events.filter(event => processDomains.has(textOf(event, 'domain') ?? '')),
  };
}
