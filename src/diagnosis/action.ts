// One thing that a user did and what became of it, in a line: for lists of the newest, and of one user. What was ordered
// counts by its own end: a tap that was accepted, for a generation that failed, is no success.
import type { Locale } from '../locales.ts';
import type { JournalRow } from '../otel/journal-row.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import { type ChainEvent, isUpdateEnd, textOf } from './chain.ts';
import { reasonOf } from './facts.ts';
import { parseLines } from './lines.ts';
import { buttonName, screenName } from './names.ts';

export interface Action {
  readonly cid: string;
  readonly at: Date;
  /** Where it was done; undefined where there was no screen. */
  readonly screen: string | undefined;
  /** The button, the command, or the kind of message. */
  readonly name: string;
  readonly reason: ReasonCode;
  /** 16 digits. */
  readonly userHash: string | undefined;
}

/** Of what was sent the last one counts: a delivery that failed is tried again. */
const deliveryEnds: ReadonlySet<string> = new Set(['RESULT_DELIVERED', 'DELIVERY_FAILED']);

/** Rows in any order; newest first. A trace without the end of an update holds no action. */
export function actionsOfRows(rows: readonly JournalRow[], locale: Locale): Action[] {
  const traces = Map.groupBy(rows, ({ traceId }) => traceId);
  return [...traces.values()]
    .flatMap(trace => actionOf(trace, locale) ?? [])
    .toSorted((a, b) => b.at.getTime() - a.at.getTime());
}

export function isTrouble({ reason }: Pick<Action, 'reason'>): boolean {
  return reason !== 'SUCCESS' && reason !== 'NOOP';
}

function actionOf(trace: readonly JournalRow[], locale: Locale): Action | undefined {
  const parts = trace
    .map(row => ({ row, events: parseLines(row.lines).events }))
    .toSorted((a, b) => a.row.at.getTime() - b.row.at.getTime());
  // Of several attempts the last one counts.
  const update = parts.findLast(({ events }) => events.some(isUpdateEnd));
  if (!update) return undefined;
  const { row, events } = update;
  const reason = reasonOfTask(parts.flatMap(part => part.events)) ?? row.reasonCode;
  if (reason === undefined) return undefined;
  return {
    cid: row.cid,
    at: row.at,
    screen: row.screenId === undefined ? undefined : screenName(row.screenId, locale),
    name: nameOf(events, locale),
    reason,
    userHash: row.userHash,
  };
}

/** undefined where nothing was ordered, or all is well. */
function reasonOfTask(events: readonly ChainEvent[]): ReasonCode | undefined {
  const end =
    events.find(({ name }) => name === 'TASK_FAILED') ??
    events.findLast(({ name }) => deliveryEnds.has(name));
  return reasonOf(end);
}

function nameOf(events: readonly ChainEvent[], locale: Locale): string {
  const fieldOf = (name: string, field: string): string | undefined =>
    textOf(
      events.find(event => event.name === name),
      field,
    );
  const button = fieldOf('CALLBACK_RECEIVED', 'button_id');
  if (button !== undefined) return buttonName(button, locale) ?? button;
  return (
    fieldOf('COMMAND_RECEIVED', 'payload_sanitized') ??
    fieldOf('MESSAGE_RECEIVED', 'payload_sanitized') ??
    textOf(events[0], 'event_type') ??
    '?'
  );
}
