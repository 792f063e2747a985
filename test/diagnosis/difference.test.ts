// Two chains of one update, laid side by side.
import { expect, test } from 'vitest';
import type { Chain } from '../../src/diagnosis/chain.ts';
import { differenceOf } from '../../src/diagnosis/difference.ts';
import { chain, done, type Step, tapped } from './hand-made.ts';

const job = { event_type: 'job' } as const;

/** What is told of the first pair that differs. */
function firstOf(original: Chain, replay: Chain): unknown {
  const { first } = differenceOf(original, replay);
  return first && [first.original?.name, first.replay?.name, first.fields];
}

test('what depends on the moment makes no difference', () => {
  const order: readonly Step[] = [...tapped, ['TASK_CREATED', { task_id: 'one' }], done];
  const original = chain(
    ...order,
    ['TASK_PROGRESS', job],
    ['KIE_CALLBACK', { event_type: 'kie_callback' }],
    ['TASK_PROGRESS', job],
    ['TASK_COMPLETED', { ...job, duration_ms: 9_000 }],
  );
  const replay = chain(
    'QUEUE_PICK',
    'UPDATE_RECEIVED',
    'QUEUE_ENQUEUE',
    'DISPATCH_START',
    'STATE_BEFORE',
    ['TASK_CREATED', { task_id: 'two' }],
    ['TASK_COMPLETED', { ...job, duration_ms: 50 }],
    ['DISPATCH_OK', { result: 'accepted', reason_code: 'SUCCESS', latency_ms: 1 }],
  );
  expect(firstOf(original, replay)).toBeUndefined();
});

test('another reason is named by its field', () => {
  const refused = (reason: string): Chain =>
    chain(
      ...tapped,
      ['CALLBACK_REJECTED', { reason_code: reason }],
      ['DISPATCH_OK', { result: 'rejected', reason_code: reason }],
    );
  expect(firstOf(refused('STATE_MISMATCH'), refused('EXPIRED_MESSAGE'))).toEqual([
    'CALLBACK_REJECTED',
    'CALLBACK_REJECTED',
    ['reason_code'],
  ]);
});

test('an event more or less does not shift what follows', () => {
  const original = chain(...tapped, 'CALLBACK_RECEIVED', ['UI_RENDER', { screen_id: 'HELP' }], done);
  const replay = chain(...tapped, 'CALLBACK_RECEIVED', done);
  expect(firstOf(original, replay)).toEqual(['UI_RENDER', undefined, []]);
  expect(firstOf(replay, original)).toEqual([undefined, 'UI_RENDER', []]);
  const { pairs } = differenceOf(original, replay);
  expect(pairs.filter(pair => pair.original && pair.replay)).toHaveLength(6);
});

test('of an update that was worked twice the last time counts', () => {
  const twice = chain(
    ...tapped,
    'CALLBACK_RECEIVED',
    'QUEUE_PICK',
    'DISPATCH_START',
    'CALLBACK_RECEIVED',
    done,
  );
  expect(firstOf(twice, chain(...tapped, 'CALLBACK_RECEIVED', done))).toBeUndefined();
});

test('a refusal that the release before said in words is the same as one that says it in fields', () => {
  const refused = (own: Readonly<Record<string, string | number>>): Chain =>
    chain(
      ...tapped,
      ['CALLBACK_REJECTED', { reason_code: 'BALANCE_INSUFFICIENT', ...own }],
      ['DISPATCH_OK', { result: 'rejected', reason_code: 'BALANCE_INSUFFICIENT', ...own }],
    );
  const before = refused({ reason_detail: '500 kopecks' });
  expect(firstOf(before, refused({ detail_code: 'balance_short', amount: 500 }))).toBeUndefined();
  expect(firstOf(before, refused({ detail_code: 'balance_short', amount: 400 }))).toEqual([
    'CALLBACK_REJECTED',
    'CALLBACK_REJECTED',
    ['amount'],
  ]);
});
