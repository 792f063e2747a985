// Calls that arrive while statements are under way share the next one, and each still gets its own outcome.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { context, createContextKey } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createGroupCommit } from '../../src/storage/group-commit.ts';

interface Row {
  readonly key: number;
  readonly text: string;
}

/** A statement that waits for its end. */
interface Statement {
  readonly texts: readonly string[];
  succeed(): void;
  fail(error: Error): void;
}

const row = (key: number, text = `row ${key}`): Row => ({ key, text });

/** A group commit whose statements are ended by hand. */
function startStatements() {
  const statements: Statement[] = [];
  const commit = createGroupCommit<Row, string>({
    keyOf: ({ key }) => key,
    run(rows) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
      const texts = rows.map(({ text }) => text);
      statements.push({ texts, succeed: () => resolve(texts.map(text => `stored ${text}`)), fail: reject });
      return promise;
    },
  });
  const statement = (index: number): Statement =>
    statements[index] ?? expect.fail(`There are only ${statements.length} statements`);
  return { statements, statement, commit };
}

/** Lets everything run that waits for nothing outside: a statement that ends, and the turn that begins the next. */
async function settle(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

/** Two statements in flight, which is as many as there may be. */
async function fill({ commit }: ReturnType<typeof startStatements>) {
  const first = commit(row(101));
  await settle();
  const second = commit(row(102));
  await settle();
  return { first, second };
}

test('with nothing under way a call waits for nothing but its neighbours of the same turn', async () => {
  const { statements, statement, commit } = startStatements();
  const stored = [commit(row(1)), Promise.resolve(row(2)).then(commit)];
  expect(statements).toEqual([]);
  await settle();
  expect(statements.map(({ texts }) => texts)).toEqual([['row 1', 'row 2']]);
  statement(0).succeed();
  expect(await Promise.all(stored)).toEqual(['stored row 1', 'stored row 2']);
});

test('calls that come while two statements are under way go together, and each gets its own result', async () => {
  const group = startStatements();
  const { first, second } = await fill(group);
  const late = [3, 1, 2].map(key => group.commit(row(key)));
  await settle();
  expect(group.statements).toHaveLength(2);

  group.statement(1).succeed();
  await settle();
  expect(group.statements).toHaveLength(3);
  expect(group.statement(2).texts).toEqual(['row 3', 'row 1', 'row 2']);
  group.statement(2).succeed();
  expect(await Promise.all(late)).toEqual(['stored row 3', 'stored row 1', 'stored row 2']);
  group.statement(0).succeed();
  expect(await Promise.all([first, second])).toEqual(['stored row 101', 'stored row 102']);
});

test('rows with the same key never share a statement, and keep their order', async () => {
  const group = startStatements();
  await fill(group);
  const [first, neighbour, second] = [row(1, 'first'), row(2, 'neighbour'), row(1, 'second')].map(
    group.commit,
  );
  group.statement(0).succeed();
  await settle();
  expect(group.statement(2).texts).toEqual(['first', 'neighbour']);
  group.statement(2).succeed();
  await settle();
  expect(group.statement(3).texts).toEqual(['second']);
  group.statement(3).succeed();
  group.statement(1).succeed();
  expect(await Promise.all([first, neighbour, second])).toEqual([
    'stored first',
    'stored neighbour',
    'stored second',
  ]);
});

test('one bad row is rejected alone, with its own error', async () => {
  const bad = new Error('invalid input');
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const sizes: number[] = [];
  const commit = createGroupCommit<Row, string>({
    keyOf: ({ key }) => key,
    async run(rows) {
      sizes.push(rows.length);
      await gate;
      if (rows.some(({ text }) => text === 'bad')) throw bad;
      return rows.map(({ text }) => `stored ${text}`);
    },
  });
  const calls = [row(1), row(2, 'bad'), row(3)].map(commit);
  const outcomes = Promise.allSettled(calls);
  open();
  expect(await outcomes).toEqual([
    { status: 'fulfilled', value: 'stored row 1' },
    { status: 'rejected', reason: bad },
    { status: 'fulfilled', value: 'stored row 3' },
  ]);
  expect(sizes).toEqual([3, 1, 1, 1]);
});

test('where the database does not answer, a statement fails for all of its rows and is not tried row by row', async () => {
  const lost = new AppError({ code: 'DATABASE_TIMEOUT', message: 'no answer' });
  const sizes: number[] = [];
  const commit = createGroupCommit<Row, string>({
    keyOf: ({ key }) => key,
    async run(rows) {
      sizes.push(rows.length);
      throw lost;
    },
  });
  const outcomes = await Promise.allSettled([row(1), row(2), row(3)].map(commit));
  expect(outcomes).toEqual(outcomes.map(() => ({ status: 'rejected', reason: lost })));
  expect(sizes).toEqual([3]);
});

test('a statement that failed leaves room for the next', async () => {
  const group = startStatements();
  const { first: failed, second: other } = await fill(group);
  const next = group.commit(row(3));
  group.statement(0).fail(new Error('connection lost'));
  await expect(failed).rejects.toThrow('connection lost');
  await settle();
  expect(group.statement(2).texts).toEqual(['row 3']);
  group.statement(1).succeed();
  group.statement(2).succeed();
  expect(await Promise.all([other, next])).toEqual(['stored row 102', 'stored row 3']);
});

test('a statement has at most 200 rows', async () => {
  const group = startStatements();
  await fill(group);
  const calls = Array.from({ length: 250 }, (_, key) => group.commit(row(key)));
  group.statement(0).succeed();
  group.statement(1).succeed();
  await settle();
  expect(group.statements.slice(2).map(({ texts }) => texts.length)).toEqual([200, 50]);
  group.statement(2).succeed();
  group.statement(3).succeed();
  expect(await Promise.all(calls)).toEqual(calls.map((_, key) => `stored row ${key}`));
});

test('a statement belongs to no trace of its callers', async () => {
  const key = createContextKey('caller');
  const seen: unknown[] = [];
  const commit = createGroupCommit<Row, string>({
    keyOf: () => 1,
    async run() {
      seen.push(context.active().getValue(key));
      return ['stored'];
    },
  });
  await context.with(context.active().setValue(key, 'a caller'), () => {
    expect(context.active().getValue(key)).toBe('a caller');
    return commit(row(1));
  });
  expect(seen).toEqual([undefined]);
});
