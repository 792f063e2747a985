// Nothing is lost and nothing is emitted twice on the way from a request to its outcome: what was received, less what was
// known, refused (lines count refusals) or not stored, is what was committed, and every delivery and every attempt is one span, in the lines,
// in the journal and in the span processor alike. Also while the collector is away, slow or refusing, and while the
// journal's database is slow; and nobody waits for any of them.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { diag, trace } from '@opentelemetry/api';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { SandboxUser } from '../../sandbox/telegram/index.ts';
import { handlers } from '../../src/handlers/index.ts';
import { startSdk } from '../../src/otel/sdk.ts';
import { expandLines } from '../../src/otel/short-lines.ts';
import { type BotUnderTest, startBot, waitFor, webhookSecret } from '../support/bot.ts';
import { startCollector } from '../support/collector.ts';
import { lockJournal } from '../support/locked-journal.ts';
import { patienceMs, testLimitMs } from '../support/patience.ts';
import { walkToConfirm } from '../support/walk.ts';

const users = 3;
/** Of each screen and answer, on a busy machine. */
/** Longer than any test: whatever waits for the collector goes on waiting until it answers. */
const patientMs = 120_000;
/** Shorter than the first wait before an export is tried again. */
const impatientMs = 500;
const flushLimitMs = 5_000;

test(
  'what is received ends in an outcome, and all of it is written, journaled and exported once',
  async () => {
    await using collector = await startCollector(200);
    const spans = exportTo(collector.url, patientMs);
    await using bot = await startStormyBot();
    const requests = await storm(bot);
    await expectConserved(bot, spans, requests);
    await spans.flush();
    expect(collector.spanIds.toSorted()).toEqual(spans.ended().toSorted());
  },
  testLimitMs,
);

test(
  'nothing is lost, and no tap waits, while the collector is down',
  async () => {
    const gone = await startCollector(200);
    await gone[Symbol.asyncDispose]();
    const complaints = vi.spyOn(diag, 'error');
    onTestFinished(() => complaints.mockRestore());
    const spans = exportTo(gone.url, impatientMs);
    await using bot = await startStormyBot();
    const requests = await storm(bot);
    await expectConserved(bot, spans, requests);
    await spans.flush();
    expect(complaints.mock.calls.join('\n')).toContain('ECONNREFUSED');
  },
  testLimitMs,
);

test(
  'nothing is lost, and no tap waits, while the collector takes its time',
  async () => {
    await using collector = await startCollector('none');
    const spans = exportTo(collector.url, patientMs);
    await using bot = await startStormyBot();
    const requests = await storm(bot);
    // All taps had their answers, and the first export has none.
    expect(collector).toMatchObject({ exports: 1, waiting: 1 });
    await expectConserved(bot, spans, requests);
    expect(collector).toMatchObject({ exports: 1, waiting: 1 });
    collector.recover();
    await spans.flush();
    expect(collector.spanIds.toSorted()).toEqual(spans.ended().toSorted());
  },
  testLimitMs,
);

test.each([503, 400])(
  'nothing is lost, and no tap waits, while the collector refuses with %i',
  async status => {
    await using collector = await startCollector(status);
    const spans = exportTo(collector.url, impatientMs);
    await using bot = await startStormyBot();
    const requests = await storm(bot);
    expect(collector.exports).toBeGreaterThan(0);
    await expectConserved(bot, spans, requests);
    await spans.flush();
    expect(collector.spanIds).toEqual([]);
  },
  testLimitMs,
);

test(
  'nothing is lost, and no tap waits, while the database of the journal is slow',
  async () => {
    await using collector = await startCollector(200);
    const spans = exportTo(collector.url, patientMs);
    await using bot = await startStormyBot();
    await using journal = await lockJournal(bot.database);
    const requests = await storm(bot);
    // All taps had their answers, and nothing of them has been written.
    expect(await journal.reached()).toBe(1);
    await journal.release();
    await expectConserved(bot, spans, requests);
  },
  testLimitMs,
);

interface Spans {
  /** Ids in the order in which they started. */
  started(name?: string | RegExp): string[];
  names(): string[];
  ended(): string[];
  flush(): Promise<void>;
}

/**
 * The SDK as the program starts it, with its own batches and its own exporter, in place of the one of all tests; what
 * starts and ends is counted where it enters the span processor.
 */
function exportTo(endpoint: string, timeoutMs: number): Spans {
  const onStart = vi.spyOn(BatchSpanProcessor.prototype, 'onStart');
  const onEnd = vi.spyOn(BatchSpanProcessor.prototype, 'onEnd');
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', endpoint);
  vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', String(timeoutMs));
  vi.stubEnv('OTEL_BSP_EXPORT_TIMEOUT', String(timeoutMs));
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '20');
  trace.disable();
  const sdk = startSdk({ serviceName: 'trt-test', serviceVersion: '0' });
  onTestFinished(async () => {
    await sdk.shutdown(flushLimitMs);
    onStart.mockRestore();
    onEnd.mockRestore();
    vi.unstubAllEnvs();
  });
  const starts = (name: string | RegExp) =>
    onStart.mock.calls.filter(([span]) =>
      typeof name === 'string' ? span.name === name : name.test(span.name),
    );
  return {
    started: (name = /./) => starts(name).map(([span]) => span.spanContext().spanId),
    names: () => [...new Set(starts(/./).map(([span]) => span.name))],
    ended: () => onEnd.mock.calls.map(([span]) => span.spanContext().spanId),
    flush: () => sdk.shutdown(flushLimitMs),
  };
}

const brokenText = 'break';
const lostOnce = 'lose the database once';
const lostForEver = 'lose the database for ever';

/** A bot whose text handler fails as the text says. */
function startStormyBot(): Promise<BotUnderTest> {
  let isLost = false;
  const text: typeof handlers.text = (context, value) => {
    if (value === brokenText) throw new Error('broken');
    if (value === lostForEver || (value === lostOnce && !isLost)) {
      isLost ||= value === lostOnce;
      throw new Error('Connection terminated unexpectedly');
    }
    return handlers.text(context, value);
  };
  return startBot({ overrides: { handlers: { ...handlers, text } } });
}

/**
 * Everything that can become of a request, several users at once, up to the end of all of it. Resolves to how many
 * requests there were, as the HTTP server saw them.
 */
async function storm(bot: BotUnderTest): Promise<number> {
  const requests = countRequests('/webhook');
  try {
    await Promise.all([
      ...Array.from({ length: users }, () => wander(bot)),
      generate(bot),
      loseDatabase(bot),
      refused(bot),
    ]);
    await bot.telegram.idle(patienceMs);
    await waitFor('an outcome of each update', async () => {
      const open = await bot.database.query('select 1 from updates where outcome is null');
      return open.length === 0 || undefined;
    });
    return requests.count();
  } finally {
    requests.stop();
  }
}

/** Counted outside of the program, for what it says itself is in question. */
function countRequests(path: string): { count(): number; stop(): void } {
  let count = 0;
  const listener = (message: unknown): void => {
    // SAFETY: Node documents the message of this channel.
    const { request } = message as { readonly request: IncomingMessage };
    if (request.url === path) count += 1;
  };
  subscribe('http.server.request.start', listener);
  return { count: () => count, stop: () => void unsubscribe('http.server.request.start', listener) };
}

/** Taps that lead somewhere and taps that do not, words, commands, calls that fail, and updates that come twice. */
async function wander(bot: BotUnderTest): Promise<void> {
  const user = bot.user();
  await shown(user, () => user.start(), /What shall we create/);
  for (let round = 0; round < 3; round += 1) {
    await shown(user, () => user.click('❓ Help'), /How it works/);
    await user.answerOf(user.rawCallback('test:unknown'), patienceMs);
    bot.telegram.duplicateNextUpdate();
    await shown(user, () => user.click('◀️ Back'), /What shall we create/);
    bot.telegram.failNext({ kind: 'reset', method: 'answerCallbackQuery', chatId: user.chatId });
    await user.answerOf(user.rawCallback('no button of ours'), patienceMs);
    await shown(user, () => user.say('/nonsense'), /What shall we create/);
    await shown(user, () => user.say(brokenText), /[0-9a-f]{8}/);
    await shown(user, () => user.say('/start'), /What shall we create/);
  }
}

/** A generation, whose calls and steps go on in the trace of the tap. */
async function generate(bot: BotUnderTest): Promise<void> {
  const user = bot.user();
  await walkToConfirm(user, patienceMs);
  user.click('🚀 Run');
  await bot.waitForLine(({ name }) => name === 'RESULT_DELIVERED');
}

/** One update that the second attempt ends, and one that none does. Each update after it has its lane worked again. */
async function loseDatabase(bot: BotUnderTest): Promise<void> {
  const user = bot.user();
  await shown(user, () => user.start(), /What shall we create/);
  let lost = 0;
  for (const [words, losses] of [
    [lostOnce, 1],
    [lostForEver, 3],
  ] as const) {
    user.say(words);
    for (let loss = 0; loss < losses; loss += 1) {
      lost += 1;
      const failedJobs = () => bot.lines.filter(({ operation }) => operation === 'job queue').length;
      await waitFor(`lost attempt ${lost}`, () => failedJobs() >= lost || undefined, undefined, patienceMs);
      user.say('/help');
    }
  }
}

/** Requests that are no update of ours, one that is known, and one that cannot be stored. */
async function refused(bot: BotUnderTest): Promise<void> {
  const post = async (body: string, secret = webhookSecret): Promise<number> => {
    const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret };
    return (await fetch(bot.webhookUrl(), { method: 'POST', headers, body })).status;
  };
  await bot.database.query('alter table updates add check (update_id <> 900000001) not valid');
  expect(await post('{"update_id":1}', 'not-the-secret')).toBe(401);
  expect(await post('{"update_id":')).toBe(400);
  expect(await post('{"message":{}}')).toBe(400);
  expect(await post('x'.repeat(1_048_577))).toBe(413);
  expect(await post('{"update_id":900000001}')).toBe(503);
  for (let copy = 0; copy < 3; copy += 1) expect(await post('{"update_id":900000002}')).toBe(200);
}

async function shown(user: SandboxUser, act: () => { moment: number }, screen: RegExp): Promise<void> {
  await user.waitForMessage(screen, { after: act(), deadlineMs: patienceMs });
}

/** Stops the bot and compares what was asked of it, what it emitted, what it committed and what was journaled. */
async function expectConserved(bot: BotUnderTest, spans: Spans, requests: number): Promise<void> {
  await bot.app.stop();
  const emitted = (name: string): number => bot.lines.filter(line => line.name === name).length;
  const notStored = bot.lines.filter(({ operation }) => operation === 'store update').length;
  const outcomes = await bot.database.query<{ outcome: string | null; attempts: number }>(
    'select outcome, attempts from updates',
  );
  const endings = (...kinds: string[]): number =>
    outcomes.filter(({ outcome }) => kinds.includes(String(outcome))).length;
  const attempts = outcomes.reduce((sum, update) => sum + update.attempts, 0);

  const received = emitted('UPDATE_RECEIVED');
  const refused = bot.lines
    .filter(({ name }) => name === 'UPDATE_REFUSED')
    .reduce((sum, { refused_count }) => sum + Number(refused_count), 0);
  expect(received + refused).toBe(requests);
  expect(received - emitted('UPDATE_DUPLICATE') - notStored).toBe(outcomes.length);
  expect(emitted('QUEUE_ENQUEUE')).toBe(outcomes.length);
  expect(emitted('DISPATCH_OK')).toBe(endings('accepted', 'rejected', 'noop'));
  expect(emitted('DISPATCH_FAIL')).toBe(endings('failed'));
  expect(emitted('DEAD_LETTER')).toBe(endings('dead_letter'));
  expect(emitted('DISPATCH_OK') + emitted('DISPATCH_FAIL') + emitted('DEAD_LETTER')).toBe(outcomes.length);
  expect(emitted('QUEUE_PICK')).toBe(attempts);
  expect(emitted('DISPATCH_START')).toBe(attempts - emitted('DEAD_LETTER'));
  // The storm had some of each.
  for (const name of ['UPDATE_DUPLICATE', 'UPDATE_REFUSED', 'DISPATCH_FAIL', 'DEAD_LETTER'])
    expect(emitted(name), name).toBeGreaterThan(0);
  expect(notStored).toBe(1);
  expect(attempts).toBeGreaterThan(outcomes.length);

  expect(spans.started(/^update (?!kie)/)).toHaveLength(received);
  expect(spans.started('dispatch update')).toHaveLength(attempts);
  const methods = spans.names().flatMap(name => /^telegram (.*)/.exec(name)?.[1] ?? []);
  for (const method of methods)
    expect(spans.started(`telegram ${method}`), method).toHaveLength(bot.telegram.callCount(method));
  expect(spans.started(/^telegram /)).toHaveLength(bot.telegram.callCount());
  // Each that was started has ended, and only once.
  expect(spans.ended().toSorted()).toEqual(spans.started().toSorted());

  expect(await journaledLines(bot)).toEqual(
    bot.output
      .map(line => line.trimEnd())
      .filter(isKept)
      .toSorted(),
  );
  const rows = await bot.database.query<{ span_id: string }>(
    `select span_id from (
       select span_id, span_name from journal where span_name is not null
       union all
       select inner_span ->> 0, inner_span ->> 1 from journal, jsonb_array_elements(inner_spans) as inner_span
     ) as spans where span_name not like 'pg %' order by span_id`,
  );
  expect(rows.map(row => row.span_id)).toEqual(spans.started(/^(?!pg)/).toSorted());
}

/** A journal that could not be written for a while says so, and not only to itself. */
const isKept = (line: string): boolean => !line.includes('"write the journal"');

async function journaledLines(bot: BotUnderTest): Promise<string[]> {
  const rows = await bot.database.query<{ lines: string }>(`select lines from journal where lines <> ''`);
  return rows
    .flatMap(({ lines }) => expandLines(lines).split('\n'))
    .filter(isKept)
    .toSorted();
}
