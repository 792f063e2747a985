// One thing that a user did and what became of it, in a line: for lists of the newest, and of one user.
import type { JournalRow } from '../otel/journal-row.ts';
import type { Locale, ReasonCode } from '../otel/reasons.ts';
import { type ChainEvent, textOf } from './chain.ts';
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
  readonly userHash: string | undefined;
}

/** undefined for a row that tells of no update's end. */
export function actionOf(row: JournalRow, locale: Locale): Action | undefined {
  const { events } = parseLines(row.lines);
  const ended = events.some(
    ({ name }) => name === 'DISPATCH_OK' || name === 'DISPATCH_FAIL' || name === 'DEAD_LETTER',
  );
  if (!ended || row.reasonCode === undefined) return undefined;
  return {
    cid: row.cid,
    at: row.at,
    screen: row.screenId === undefined ? undefined : screenName(row.screenId, locale),
    name: nameOf(events, locale),
    reason: row.reasonCode,
    userHash: row.userHash,
  };
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
