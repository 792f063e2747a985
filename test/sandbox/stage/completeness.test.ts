import { expect, test } from 'vitest';
import { incompleteness, isOver } from '../../../sandbox/stage/completeness.ts';
import type { EventLine } from '../../../sandbox/stage/event-log.ts';

function event(name: string, fields: Record<string, string> = {}): EventLine {
  return { ts: '2026-01-01T00:00:00.000Z', level: 'INFO', cid: 'a1b2c3d4', name, ...fields };
}

const accepted = { reason_code: 'SUCCESS' };
const tap = [
  event('UPDATE_RECEIVED'),
  event('QUEUE_ENQUEUE'),
  event('QUEUE_PICK'),
  event('DISPATCH_START'),
  event('CALLBACK_RECEIVED'),
  event('CALLBACK_ROUTED'),
  event('CALLBACK_ACCEPTED', accepted),
  event('ANSWER_CALLBACK_QUERY', { result: 'accepted' }),
  event('UI_RENDER'),
  event('DISPATCH_OK', accepted),
];
const plainTap = { kind: 'tap', reason: 'SUCCESS' } as const;
const without = (name: string) => tap.filter(line => line.name !== name);

test('a tap with its whole story is complete', () => {
  expect(incompleteness(tap, plainTap)).toEqual([]);
});

test.each(['UPDATE_RECEIVED', 'QUEUE_PICK', 'CALLBACK_ACCEPTED', 'ANSWER_CALLBACK_QUERY', 'DISPATCH_OK'])(
  'a tap without %s is not',
  name => {
    expect(incompleteness(without(name), plainTap).join()).toContain(`${name}`);
  },
);

test('two outcomes are one too many', () => {
  expect(incompleteness([...tap, event('DISPATCH_FAIL', accepted)], plainTap)).toEqual([
    'DISPATCH_OK or DISPATCH_FAIL is there 2 times, not once',
  ]);
});

test('another reason than the expected one is reported with both', () => {
  expect(incompleteness(tap, { ...plainTap, reason: 'STATE_MISMATCH' })).toEqual([
    'DISPATCH_OK has reason_code=SUCCESS, not STATE_MISMATCH',
    'CALLBACK_ACCEPTED has reason_code=SUCCESS, not STATE_MISMATCH',
  ]);
});

const hold = event('BALANCE_HOLD', { amount: '80' });
const charge = event('BALANCE_CHARGE', { amount: '80' });
const release = event('BALANCE_RELEASE', { amount: '80' });
const failed = event('TASK_FAILED', { reason_code: 'DOWNSTREAM_ERROR' });
const notice = event('RESULT_DELIVERED', { operation: 'failure' });
const success = { ...plainTap, task: { delivers: 'result', reason: 'SUCCESS' } } as const;
const failure = { ...plainTap, task: { delivers: 'failure', reason: 'DOWNSTREAM_ERROR' } } as const;
const ordered = [...tap, event('TASK_CREATED'), hold];

test('an update that starts a generation is over only when its result was delivered', () => {
  const paid = [...ordered, event('TASK_COMPLETED'), charge];
  const delivered = [...paid, event('RESULT_DELIVERED', { operation: 'result' })];

  expect(isOver(paid, success)).toBe(false);
  expect(incompleteness(paid, success)).toEqual(['RESULT_DELIVERED is there 0 times, not once']);
  expect(isOver(delivered, success)).toBe(true);
  expect(incompleteness(delivered, success)).toEqual([]);
});

test('a success where a failure was expected is not what was expected', () => {
  const chain = [...ordered, event('TASK_COMPLETED'), charge, notice];
  expect(incompleteness(chain, failure)).toEqual(['TASK_FAILED is missing']);
});

test('a failure gives back what was reserved, once and to the kopeck', () => {
  const less = event('BALANCE_RELEASE', { amount: '79' });
  const neither = 'BALANCE_CHARGE or BALANCE_RELEASE is there 0 times, not once';
  const both = 'BALANCE_CHARGE or BALANCE_RELEASE is there 2 times, not once';

  expect(incompleteness([...ordered, failed, release, notice], failure)).toEqual([]);
  expect(incompleteness([...ordered, failed, notice], failure)).toEqual([neither]);
  expect(incompleteness([...ordered, failed, release, release, notice], failure)).toEqual([both]);
  expect(incompleteness([...ordered, failed, charge, notice], failure)).toEqual([
    'BALANCE_CHARGE is there instead of BALANCE_RELEASE',
  ]);
  expect(incompleteness([...ordered, failed, less, notice], failure)).toEqual([
    'BALANCE_RELEASE has amount=79, not 80',
  ]);
});

test('a value that the user gave is accepted or refused', () => {
  const given = [...tap, event('PARAM_INPUT')];
  expect(incompleteness([...given, event('PARAM_ACCEPTED')], plainTap)).toEqual([]);
  expect(incompleteness(given, plainTap)).toEqual([
    'a value that the user gave was neither accepted nor refused',
  ]);
});

test('what an update causes besides is waited for, and is there once', () => {
  const welcomed = { ...plainTap, also: ['BALANCE_TOPUP'] } as const;
  const credit = event('BALANCE_TOPUP');
  expect(isOver(tap, welcomed)).toBe(false);
  expect(isOver([...tap, credit], welcomed)).toBe(true);
  expect(incompleteness([...tap, credit], welcomed)).toEqual([]);
  expect(incompleteness([...tap, credit, credit], welcomed)).toEqual([
    'BALANCE_TOPUP is there 2 times, not once',
  ]);
});
