// When an instance may say of itself that it stores updates.
import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createIntakeProof } from '../../src/inbox/intake-proof.ts';
import type { NewUpdate, Stored } from '../../src/storage/update-insert.ts';
import type { UpdateStore } from '../../src/storage/update-store.ts';

/** A store whose inserts are ended by hand, and a clock that stands still. */
function startProof() {
  let time = 0;
  const inserts: PromiseWithResolvers<Stored>[] = [];
  const never = () => expect.fail('nobody asks for this');
  const store: UpdateStore = {
    insert() {
      const insert = Promise.withResolvers<Stored>();
      inserts.push(insert);
      return insert.promise;
    },
    checkInsert: never,
    known: never,
    pick: never,
    finish: never,
    depth: never,
  };
  const proof = createIntakeProof(() => time);
  const watched = proof.watch(store);
  return {
    proof,
    insert: () => watched.insert(update).catch(() => undefined),
    end: (index: number) => inserts[index]?.resolve({ isNew: true, refusal: undefined }),
    fail: (index: number, error: Error) => inserts[index]?.reject(error),
    pass(milliseconds: number) {
      time += milliseconds;
    },
  };
}

const update: NewUpdate = {
  updateId: 1,
  lane: 1,
  messageId: undefined,
  eventType: 'message',
  body: '{}',
  traceparent: '',
  refusal: undefined,
  isLimited: false,
};
const lost = new AppError({ code: 'DATABASE_TIMEOUT', message: 'no answer' });

test('nothing has to be stored, and it is shown', () => {
  const { proof, pass } = startProof();
  pass(1_000_000);
  expect([proof.isShown(), proof.waitingMs()]).toEqual([true, undefined]);
});

test('an update that waits too long takes it back, until it is stored', async () => {
  const { proof, insert, end, pass } = startProof();
  const stored = insert();
  pass(4_900);
  expect([proof.isShown(), proof.waitingMs()]).toEqual([true, 4_900]);
  pass(200);
  expect(proof.isShown()).toBe(false);
  end(0);
  await stored;
  expect([proof.isShown(), proof.waitingMs()]).toEqual([true, undefined]);
});

test('the oldest of those that wait counts', async () => {
  const { proof, insert, end, pass } = startProof();
  const first = insert();
  pass(3_000);
  insert();
  pass(1_000);
  expect(proof.waitingMs()).toBe(4_000);
  end(0);
  await first;
  expect(proof.waitingMs()).toBe(1_000);
});

test('a database that is lost takes it back for a while, or until the next one is stored', async () => {
  const { proof, insert, end, fail, pass } = startProof();
  const first = insert();
  fail(0, lost);
  await first;
  expect(proof.isShown()).toBe(false);
  pass(5_100);
  expect(proof.isShown()).toBe(true);
  const second = insert();
  fail(1, lost);
  await second;
  const third = insert();
  expect(proof.isShown()).toBe(false);
  end(2);
  await third;
  expect(proof.isShown()).toBe(true);
});

test('one update that is refused for what it is says nothing of others', async () => {
  const { proof, insert, fail } = startProof();
  const stored = insert();
  fail(0, new Error('violates a constraint'));
  await stored;
  expect(proof.isShown()).toBe(true);
});
