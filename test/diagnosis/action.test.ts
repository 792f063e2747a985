// What a user did, in one line: from the rows of one trace, the update's own and those of what it ordered.
import { expect, test } from 'vitest';
import { actionsOfRows } from '../../src/diagnosis/action.ts';
import type { JournalRow } from '../../src/otel/journal-row.ts';
import type { ReasonCode } from '../../src/otel/reasons.ts';
import { journalRow } from '../support/journal.ts';
import { eventsOf, type Step, traceId } from './hand-made.ts';

const begin = Date.parse('2026-11-23T14:03:22.000Z');
const tap: Step = ['CALLBACK_RECEIVED', { button_id: 'CONFIRM_RUN' }];

/** A row of the same trace, so many seconds after the first. */
function row(
  seconds: number,
  reasonCode: ReasonCode | undefined,
  steps: readonly Step[],
  given: Partial<JournalRow> = {},
): JournalRow {
  return journalRow({
    at: new Date(begin + seconds * 1_000),
    cid: traceId.slice(0, 8),
    traceId,
    reasonCode,
    lines: eventsOf(...steps)
      .map(({ fields }) => JSON.stringify(fields))
      .join('\n'),
    ...given,
  });
}

const accepted = row(0, 'SUCCESS', [tap, 'DISPATCH_OK'], {
  screenId: 'CONFIRM',
  userHash: '0123456789abcdef',
});
const failed = row(9, 'CONTENT_REJECTED', [['TASK_FAILED', { reason_code: 'CONTENT_REJECTED' }]]);
const unsent = row(10, 'DOWNSTREAM_ERROR', [['DELIVERY_FAILED', { reason_code: 'DOWNSTREAM_ERROR' }]]);
const sent = row(11, undefined, ['RESULT_DELIVERED']);

const reasonOf = (...rows: readonly JournalRow[]): unknown =>
  actionsOfRows(rows, 'en').map(({ reason }) => reason);

test('an action is what the update was, where, and how it ended', () => {
  expect(actionsOfRows([accepted], 'en')).toEqual([
    {
      cid: traceId.slice(0, 8),
      at: accepted.at,
      screen: 'Check and run',
      name: '🚀 Run',
      reason: 'SUCCESS',
      userHash: '0123456789abcdef',
    },
  ]);
});

test('what was ordered counts by its own end, told later and by other rows', () => {
  expect(reasonOf(failed, accepted)).toEqual(['CONTENT_REJECTED']);
  expect(reasonOf(accepted, unsent)).toEqual(['DOWNSTREAM_ERROR']);
  // The notice of a failure arrives, which fixes nothing.
  expect(reasonOf(accepted, failed, sent)).toEqual(['CONTENT_REJECTED']);
});

test('a delivery that was tried again and arrived is no trouble', () => {
  expect(reasonOf(sent, unsent, accepted)).toEqual(['SUCCESS']);
});

test('of several attempts at an update the last one counts', () => {
  const first = row(-5, 'DB_ERROR', [tap, 'DISPATCH_FAIL']);
  expect(reasonOf(accepted, first)).toEqual(['SUCCESS']);
});

test('rows that tell of no end of an update are no action', () => {
  expect(reasonOf(failed, sent)).toEqual([]);
  expect(reasonOf(row(0, 'SUCCESS', ['UPDATE_RECEIVED']))).toEqual([]);
});

test('the newest comes first', () => {
  const later = row(60, 'NOOP', ['DISPATCH_OK'], { traceId: 'f'.repeat(32), cid: 'f'.repeat(8) });
  expect(reasonOf(accepted, later)).toEqual(['NOOP', 'SUCCESS']);
});
