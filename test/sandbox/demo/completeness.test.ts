import { expect, test } from 'vitest';
import type { EventLine } from '../../../src/sandbox/demo/chronicle.ts';
import { incompleteness, isOver } from '../../../src/sandbox/demo/completeness.ts';

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

test('another reason than the expected one is told with both', () => {
  expect(incompleteness(tap, { ...plainTap, reason: 'STATE_MISMATCH' })).toEqual([
    'DISPATCH_OK has reason_code=SUCCESS, not STATE_MISMATCH',
    'CALLBACK_ACCEPTED has reason_code=SUCCESS, not STATE_MISMATCH',
  ]);
});

test('an update that starts a generation is over only when its result was delivered', () => {
  const expected = { ...plainTap, task: { delivers: 'result', reason: 'SUCCESS' } } as const;
  const ordered = [...tap, event('TASK_CREATED'), event('TASK_COMPLETED')];
  const delivered = [...ordered, event('RESULT_DELIVERED', { operation: 'result' })];

  expect(isOver(ordered, expected)).toBe(false);
  expect(incompleteness(ordered, expected)).toEqual(['RESULT_DELIVERED is there 0 times, not once']);
  expect(isOver(delivered, expected)).toBe(true);
  expect(incompleteness(delivered, expected)).toEqual([]);
});

test('a success where a failure was expected is not what was expected', () => {
  const chain = [
    ...tap,
    event('TASK_CREATED'),
    event('TASK_COMPLETED'),
    event('RESULT_DELIVERED', { operation: 'failure' }),
  ];
  const task = { delivers: 'failure', reason: 'DOWNSTREAM_ERROR' } as const;
  expect(incompleteness(chain, { ...plainTap, task })).toEqual(['TASK_FAILED is missing']);
});
