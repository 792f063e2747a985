// What is known beside a chain: how the service was when it happened. Each fact is optional; what is unknown proves
// nothing. Health and Telegram's own report give most of them, the lines of the processes the rest.
import type { EventName } from '../otel/events.ts';
import type { Period } from '../storage/journal-store.ts';
import { type Chain, type ChainEvent, numberOf, textOf } from './chain.ts';

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
  /** Of what kind the error was, when the journal could not be read. */
  readonly journalError?: string | undefined;
  /** Age of the oldest update that nobody has picked. */
  readonly oldestUnpickedMs?: number | undefined;
}

/** An update that waits so long is not just behind its neighbours. */
export const stuckAfterMs = 60_000;
/** Without updates for so long, in a service that is used, something keeps them away. */
export const quietAfterMinutes = 10;
/** What happened to a process so shortly before or after a chain may be its cause. */
const nearMs = 30_000;
/** What happened in this time around a chain is worth a look. */
const aroundMs = 60_000;
/** The lock went from one instance to another, or one of them came or went. */
const replacements = [
  'BOOT_OK',
  'SHUTDOWN',
  'LOCK_ACQUIRED',
  'LOCK_RELEASED',
  'LOCK_LOST',
  'LOCK_TAKEOVER',
] as const satisfies EventName[];
const replacementNames: ReadonlySet<string> = new Set(replacements);
const processEventNames: ReadonlySet<string> = new Set<EventName>([
  ...replacements,
  'BOOT_FAIL',
  'QUEUE_FULL',
  'SUPPLIER_DOWN',
  'SUPPLIER_UP',
  'SYSTEM_WARNING',
  'SILENCE_GUARD_WARNING',
]);

/**
 * The times in which something of a chain happened, with what is around them. A chain that paused for long has several;
 * of many the first and the last.
 */
export function periodsAround({ events, spans }: Chain): readonly Period[] {
  const times = [...events.map(({ at }) => at), ...spans.map(({ startedAt }) => startedAt)];
  const periods: { since: Date; until: Date }[] = [];
  for (const at of times.map(time => time.getTime()).toSorted((a, b) => a - b)) {
    const last = periods.at(-1);
    const until = new Date(at + aroundMs);
    if (last && last.until.getTime() >= at - aroundMs) last.until = until;
    else periods.push({ since: new Date(at - aroundMs), until });
  }
  return periods.length <= 2 * endPeriods
    ? periods
    : [...periods.slice(0, endPeriods), ...periods.slice(-endPeriods)];
}

const endPeriods = 2;

/** The events of processes around the time of a chain that are not part of it, in the order of time. */
export function processEventsAround(
  { processEvents = [] }: Surroundings,
  chain: Chain,
): readonly ChainEvent[] {
  const periods = periodsAround(chain);
  return processEvents
    .filter(
      event =>
        textOf(event, 'trace_id') !== chain.traceId &&
        periods.some(({ since, until }) => event.at >= since && event.at <= until),
    )
    .toSorted((a, b) => a.at.getTime() - b.at.getTime());
}

/**
 * Whether it is about a process, not about one update: what goes wrong beside an update is that update's own, but for a
 * database that fails, which fails them all.
 */
export function isProcessEvent(event: ChainEvent): boolean {
  return (
    processEventNames.has(event.name) &&
    (numberOf(event, 'update_id') === undefined || isDatabaseTrouble(event))
  );
}

/** That instances took turns: one came, one went, or the lock changed hands. */
export function isReplacement({ name }: ChainEvent): boolean {
  return replacementNames.has(name);
}

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

/** Whether a process reports that the database failed. */
export function isDatabaseTrouble(event: ChainEvent): boolean {
  return event.name === 'SYSTEM_WARNING' && textOf(event, 'reason_code') === 'DB_ERROR';
}

/** The surroundings as far as a log alone shows them: its last line is the time of asking. */
export function surroundingsOfEvents(events: readonly ChainEvent[]): Surroundings {
  const times = events.map(({ at }) => at.getTime());
  return {
    ...(times.length > 0 ? { now: new Date(times.reduce((a, b) => Math.max(a, b))) } : {}),
    processEvents: events.filter(isProcessEvent),
  };
}
