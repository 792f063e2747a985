// The contract of telemetry, held against the code and against what runs: every event, reason and span is used,
// documented and complete.
import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { telemetryReference } from '../../src/cli/telemetry-reference.ts';
import { detailCodes } from '../../src/otel/detail-codes.ts';
import { type EventName, events } from '../../src/otel/events.ts';
import { fieldDefinitions } from '../../src/otel/fields.ts';
import { reasons } from '../../src/otel/reasons.ts';
import { failureAttributes, spans } from '../../src/otel/spans.ts';
import { type BotUnderTest, startBot } from '../support/bot.ts';
import { storyOf, traceEnded } from '../support/story.ts';
import { prompt, walkToForm } from '../support/walk.ts';

const root = new URL('../../', import.meta.url);
/** All that the program does; what only plays it or reads about it is left out. */
const sources = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' })
  .filter(path => path.endsWith('.ts') && !/^(sandbox|diagnosis|cli)\//.test(path))
  .map(path =>
    ts.createSourceFile(path, readFileSync(new URL(`src/${path}`, root), 'utf8'), ts.ScriptTarget.Latest),
  );

/** The first argument of every call of a function of that name, a template with `*` for what it inserts. */
function firstArguments(callee: RegExp): Set<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && callee.test(nameOf(node.expression))) {
      const [first] = node.arguments;
      if (first && ts.isStringLiteralLike(first)) found.add(first.text);
      if (first && ts.isTemplateExpression(first)) found.add(`${first.head.text}*`);
    }
    ts.forEachChild(node, visit);
  };
  for (const source of sources) visit(source);
  return found;
}

const nameOf = (callee: ts.Expression): string =>
  ts.isPropertyAccessExpression(callee) ? callee.name.text : ts.isIdentifier(callee) ? callee.text : '';

/** Every string in the code outside of the tables of these files. */
function strings(except: string | RegExp): Set<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) found.add(node.text);
    ts.forEachChild(node, visit);
  };
  for (const source of sources)
    if (typeof except === 'string' ? source.fileName !== except : !except.test(source.fileName))
      visit(source);
  return found;
}

test('docs/telemetry.md is what the code says: `npm run docs:telemetry` writes it', () => {
  expect(readFileSync(new URL('docs/telemetry.md', root), 'utf8')).toBe(telemetryReference());
});

test('the reference has every event, field, reason and span, and both texts of each reason', () => {
  const reference = telemetryReference();
  const names = [events, fieldDefinitions, reasons, detailCodes, spans].flatMap(table => Object.keys(table));
  expect(names.length).toBeGreaterThan(100);
  expect(names.filter(name => !reference.includes(`| \`${name}\` |`))).toEqual([]);
  for (const { text } of Object.values(reasons)) {
    expect(reference).toContain(`| ${text.ru} | ${text.en} |`);
  }
});

test('every event is emitted somewhere, or says what it is reserved for', () => {
  const emitted = firstArguments(/^(emit|emitMove|refused)$/);
  const reserved = Object.entries(events).flatMap(([name, event]) => ('reserved' in event ? [name] : []));
  const silent = Object.keys(events).filter(name => !emitted.has(name));
  expect(emitted.size).toBeGreaterThan(40);
  expect(silent).toEqual(reserved);
});

test('every reason is given somewhere', () => {
  const used = strings('otel/reasons.ts');
  expect(Object.keys(reasons).filter(reason => !used.has(reason))).toEqual([]);
});

test('every detail code is given somewhere, and listed by an event that may carry one', () => {
  const tables = /^otel\/(detail-codes|events|lines-before-codes)\.ts$/;
  const used = strings(tables);
  const listed = new Set(Object.values(events).flatMap(event => ('details' in event ? event.details : [])));
  expect(Object.keys(detailCodes).filter(code => !used.has(code))).toEqual([]);
  expect(Object.keys(detailCodes).filter(code => [...listed].every(other => other !== code))).toEqual([]);
  const carriers = Object.entries(events).filter(([, { required, optional }]) =>
    [...required, ...optional].some(field => field === 'detail_code'),
  );
  const listing = Object.entries(events).filter(([, event]) => 'details' in event);
  expect(carriers.map(([name]) => name)).toEqual(listing.map(([name]) => name));
});

test('every span is opened somewhere, and no other one', () => {
  const opened = firstArguments(/^inSpan$/);
  // By a table from the state of a task.
  for (const name of strings('otel/spans.ts'))
    if (/^task (submit|poll|deliver)$/.test(name)) opened.add(name);
  const documented = Object.entries(spans)
    .filter(([, span]) => !('foreign' in span))
    .map(([name]) => name.replace(/\{\w+\}/, '*'));
  expect([...opened].toSorted()).toEqual(documented.toSorted());
});

describe('a run of the bot', () => {
  test('opens only spans of the list, with attributes that it names', async () => {
    await using bot = await startBot();
    const cids = await generateAndFail(bot);
    for (const cid of cids) await traceEnded(bot, cid);
    const ended = cids.flatMap(cid => bot.spansOf(cid));
    expect(new Set(ended.map(({ name }) => name)).size).toBeGreaterThan(8);
    const undocumented = ended.flatMap(({ name, attributes }) => {
      const key = Object.keys(spans).find(candidate => patternOf(candidate).test(name));
      const entry = Object.entries(spans).find(([candidate]) => candidate === key)?.[1];
      if (!entry) return [name];
      if ('foreign' in entry) return [];
      const known: readonly string[] = [...entry.attributes, ...failureAttributes, 'cid'];
      return Object.keys(attributes)
        .filter(attribute => !known.includes(attribute))
        .map(attribute => `${name}: ${attribute}`);
    });
    expect([...new Set(undocumented)]).toEqual([]);
  });

  test('has the fields that the contract asks of each event', async () => {
    await using bot = await startBot();
    const cids = await generateAndFail(bot);
    const lines = bot.lines.filter(({ cid }) => cids.includes(cid));
    const everywhere = ['ts', 'level', 'name', 'cid', 'trace_id', 'span_id', 'bot_state', 'domain', 'msg'];
    const ofUpdates = [...everywhere, 'event_type', 'update_id', 'user_hash', 'chat_hash'];
    const asked: Readonly<Partial<Record<EventName, readonly string[]>>> = {
      UPDATE_RECEIVED: ofUpdates,
      QUEUE_ENQUEUE: [...ofUpdates, 'queue_depth', 'latency_ms'],
      QUEUE_PICK: [...ofUpdates, 'worker_id'],
      DISPATCH_START: [...ofUpdates, 'handler'],
      DISPATCH_OK: [...ofUpdates, 'result', 'reason_code', 'latency_ms', 'duration_ms', 'handler'],
      COMMAND_RECEIVED: [...ofUpdates, 'payload_sanitized'],
      COMMAND_START: [...ofUpdates, 'handler', 'action_id'],
      MESSAGE_RECEIVED: [...ofUpdates, 'payload_sanitized', 'handler'],
      CALLBACK_RECEIVED: [...ofUpdates, 'callback_id', 'button_id', 'payload_sanitized', 'screen_id'],
      CALLBACK_ROUTED: [...ofUpdates, 'handler', 'action_id', 'button_id', 'screen_id'],
      CALLBACK_ACCEPTED: [
        ...ofUpdates,
        'result',
        'reason_code',
        'screen_id',
        'next_screen',
        'button_id',
        'action_id',
      ],
      CALLBACK_REJECTED: [
        ...ofUpdates,
        'result',
        'reason_code',
        'reason_text',
        'expected_state',
        'actual_state',
      ],
      ANSWER_CALLBACK_QUERY: [...ofUpdates, 'text', 'result'],
      UI_RENDER: [...ofUpdates, 'screen_id', 'buttons_count', 'operation', 'message_id'],
      PARAM_INPUT: [...ofUpdates, 'param_name', 'value', 'source', 'flow_id', 'step_id'],
      PARAM_ACCEPTED: [...ofUpdates, 'param_name', 'value', 'flow_id', 'step_id'],
      PARAM_VALIDATION_FAILED: [
        ...ofUpdates,
        'param_name',
        'value',
        'allowed',
        'reason_code',
        'hint_to_user',
        'flow_id',
      ],
      TASK_CREATED: [...ofUpdates, 'task_id', 'model_id', 'model_version', 'flow_id'],
      BALANCE_HOLD: [...ofUpdates, 'task_id', 'amount'],
      TASK_COMPLETED: [...everywhere, 'event_type', 'task_id', 'model_id', 'model_version', 'duration_ms'],
      RESULT_DELIVERED: [...everywhere, 'event_type', 'task_id', 'message_id', 'latency_ms'],
    };
    const names = Object.keys(asked);
    expect(names.filter(name => !lines.some(line => line.name === name))).toEqual([]);
    const missing = lines.flatMap(line =>
      (Object.entries(asked).find(([name]) => name === line.name)?.[1] ?? [])
        .filter(field => line[field] === undefined)
        .map(field => `${line.name} has no ${field}`),
    );
    expect([...new Set(missing)]).toEqual([]);
  });

  test('names one form by the same flow in all updates that fill it in, and each step in it', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToForm(user);
    const written = await storyOf(bot, user.say(prompt));
    const chosen = await storyOf(bot, user.click('16:9'));
    const confirmed = await storyOf(bot, user.click('🚀 Run'));
    const flows = [written, chosen, confirmed].map(({ line }) => line('DISPATCH_OK').flow_id);
    expect(flows[0]).toMatch(/^[\w-]{8}$/);
    expect(new Set(flows).size).toBe(1);
    expect([written, chosen, confirmed].map(({ line }) => line('DISPATCH_OK').step_id)).toEqual([
      'prompt',
      'aspect_ratio',
      'confirm',
    ]);
    const screens = [written, chosen].map(({ line }) => line('UI_RENDER'));
    expect(screens.map(({ flow_id, step_id }) => [flow_id, step_id])).toEqual([
      [flows[0], 'aspect_ratio'],
      [flows[0], 'confirm'],
    ]);
    expect((await storyOf(bot, user.start())).line('DISPATCH_OK').flow_id).toBeUndefined();
  });
});

const patternOf = (name: string): RegExp => new RegExp(`^${name.replace(/\{\w+\}/, '.+')}$`);

/** A generation with a value that was refused on the way, and a tap that came too late; resolves with all cids. */
async function generateAndFail(bot: BotUnderTest): Promise<string[]> {
  const user = bot.user();
  await walkToForm(user);
  const form = user.lastMessage();
  await storyOf(bot, user.say('x'));
  await storyOf(bot, user.say(prompt));
  await storyOf(bot, user.click('16:9'));
  await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  const stale = form?.keyboard.flat().find(({ data }) => data?.includes(':prev:'))?.data;
  await storyOf(bot, user.rawCallback(String(stale)));
  return [...new Set(bot.lines.filter(line => line.update_id !== undefined).map(({ cid }) => cid))];
}
