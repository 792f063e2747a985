// The promise of the project, end to end: the real program exports to the real Collector with this repository's
// configuration, and a click is found in a real Jaeger by the cid that its log lines bear.
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { JaegerSpan, JaegerTrace } from '../support/jaeger.ts';
import { type Program, type Surroundings, startProgram, startSurroundings } from '../support/process.ts';
import { walkToConfirm } from '../support/walk.ts';
import { testWithObservability } from '../support/with-observability.ts';

interface Running {
  readonly program: Program;
  readonly surroundings: Surroundings;
  /** The trace of that cid, once it has a finished span of each of these names. */
  trace(cid: string, ...spanNames: string[]): Promise<JaegerTrace>;
}

const test = testWithObservability().extend<{ running: Running }>({
  running: async ({ observability: { otlpEndpoint, jaeger } }, use) => {
    const service = `bot-test-${randomUUID()}`;
    await using surroundings = await startSurroundings();
    await using program = await startProgram({
      ...surroundings.environment,
      OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint,
      OTEL_SERVICE_NAME: service,
      OTEL_BSP_SCHEDULE_DELAY: '100',
    });
    await use({
      program,
      surroundings,
      async trace(cid, ...spanNames) {
        // A span is exported when it ends, so those that surround others come last.
        const isWhole = ({ spans }: JaegerTrace): boolean =>
          spanNames.every(name => spans.some(span => span.operationName === name)) &&
          orphansOf(spans).length === 0;
        const found = await jaeger.tracesByTag(
          service,
          { cid },
          { until: traces => traces.length > 0 && traces.every(isWhole) },
        );
        expect(found).toHaveLength(1);
        return found[0] ?? expect.fail('No trace');
      },
    });
  },
});

test('a click is found by its cid, with its events, its reason and its calls below its dispatch', async ({
  running: { program, surroundings, trace },
}) => {
  const user = surroundings.user();
  user.start();
  await user.waitForMessage(/What shall we create/);
  const click = user.click('🎨 Pictures');
  const cid = await program.cidOf(click.updateId);
  const { traceId, spans } = await trace(
    cid,
    'update callback_query',
    'dispatch update',
    'telegram answerCallbackQuery',
    'telegram editMessageText',
  );

  expect(traceId).toMatch(new RegExp(`^${cid}`));
  const root = spanNamed(spans, 'update callback_query');
  const dispatch = spanNamed(spans, 'dispatch update');
  expect(root).toMatchObject({
    parentId: undefined,
    tags: { cid, 'span.kind': 'server', event_type: 'callback_query', update_id: click.updateId },
  });
  expect(root.events.map(({ name }) => name)).toEqual(['UPDATE_RECEIVED', 'QUEUE_ENQUEUE']);
  expect(dispatch).toMatchObject({
    parentId: root.spanId,
    tags: {
      cid,
      'span.kind': 'consumer',
      result: 'accepted',
      reason_code: 'SUCCESS',
      handler: 'category',
      action_id: 'category',
      screen_id: 'MAIN_MENU',
    },
  });
  // Its link to the root is the same edge, named as such; else Jaeger would draw the two in place of each other.
  expect(dispatch.links).toEqual([]);
  expect(dispatch.events.map(({ name }) => name)).toEqual([
    'QUEUE_PICK',
    'DISPATCH_START',
    'CALLBACK_RECEIVED',
    'CALLBACK_ROUTED',
    'CALLBACK_ACCEPTED',
    'ANSWER_CALLBACK_QUERY',
    'UI_RENDER',
    'DISPATCH_OK',
  ]);
  expect(eventNamed(dispatch, 'CALLBACK_RECEIVED')).toMatchObject({
    callback_id: click.callbackId,
    payload_sanitized: click.data,
  });
  expect(eventNamed(dispatch, 'CALLBACK_ACCEPTED')).toMatchObject({
    result: 'accepted',
    reason_code: 'SUCCESS',
    next_screen: 'CATEGORY_PICK',
  });
  for (const name of ['telegram answerCallbackQuery', 'telegram editMessageText']) {
    expect(spanNamed(spans, name)).toMatchObject({
      parentId: dispatch.spanId,
      tags: { cid, 'span.kind': 'client' },
    });
  }
  expect(spans.filter(span => span.tags.cid !== cid)).toEqual([]);
  expect(program.lines.filter(line => line.cid === cid).map(line => line.trace_id)).toEqual(
    Array(10).fill(traceId),
  );
});

test('a refused click bears its reason code, as an attribute and in its event', async ({
  running: { program, surroundings, trace },
}) => {
  const user = surroundings.user();
  await walkToConfirm(user);
  const [form] = user.messages();
  await user.waitForMessage(/What shall we create/, { after: user.click('✖️ Cancel') });
  const click = user.click('◀️ Back', { messageId: form?.messageId ?? 0 });
  const cid = await program.cidOf(click.updateId);
  const { spans } = await trace(
    cid,
    'update callback_query',
    'dispatch update',
    'telegram answerCallbackQuery',
  );

  const dispatch = spanNamed(spans, 'dispatch update');
  expect(dispatch.tags).toMatchObject({ result: 'rejected', reason_code: 'STATE_MISMATCH' });
  // The bot did what it should; only its own faults are errors.
  expect(dispatch.tags).not.toHaveProperty('error');
  expect(eventNamed(dispatch, 'CALLBACK_REJECTED')).toMatchObject({
    reason_code: 'STATE_MISMATCH',
    actual_state: 'no open form',
  });
  expect(dispatch.events.map(({ name }) => name)).toContain('ANSWER_CALLBACK_QUERY');
});

test('a generation is one trace from the tap to the delivered picture', async ({
  running: { program, surroundings, trace },
}) => {
  const user = surroundings.user();
  await walkToConfirm(user);
  const click = user.click('🚀 Run');
  await user.waitForMessage(({ kind }) => kind === 'photo');
  const cid = await program.cidOf(click.updateId);
  const { spans } = await trace(
    cid,
    'update callback_query',
    'dispatch update',
    'task submit',
    'kie createTask',
    'kie recordInfo',
    'deliver result',
    'telegram sendPhoto',
  );

  const root = spanNamed(spans, 'update callback_query');
  const dispatch = spanNamed(spans, 'dispatch update');
  const submit = spanNamed(spans, 'task submit');
  const order = spanNamed(spans, 'kie createTask');
  const delivery = spanNamed(spans, 'deliver result');
  const photo = spanNamed(spans, 'telegram sendPhoto');
  expect(root.parentId).toBeUndefined();
  expect(dispatch.parentId).toBe(root.spanId);
  expect(submit.parentId).toBe(dispatch.spanId);
  expect(order.parentId).toBe(submit.spanId);
  expect(photo.parentId).toBe(delivery.spanId);
  expect(orphansOf(spans)).toEqual([]);
  expect(spans.filter(span => span.tags.cid !== cid)).toEqual([]);
  const names = spans.flatMap(({ events }) => events.map(({ name }) => name));
  for (const name of ['TASK_CREATED', 'BALANCE_HOLD', 'TASK_COMPLETED', 'BALANCE_CHARGE', 'RESULT_DELIVERED'])
    expect(names.filter(each => each === name)).toEqual([name]);
  expect(surroundings.kie.createdCount()).toBe(1);
});

function orphansOf(spans: readonly JaegerSpan[]): JaegerSpan[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.filter(({ parentId }) => parentId !== undefined && !ids.has(parentId));
}

function spanNamed(spans: readonly JaegerSpan[], name: string): JaegerSpan {
  const [span, another] = spans.filter(({ operationName }) => operationName === name);
  if (!span || another)
    expect.fail(
      `${another ? 'Several' : 'No'} ${name} in ${spans.map(each => each.operationName).join(', ')}`,
    );
  return span;
}

function eventNamed(span: JaegerSpan, name: string): JaegerSpan['events'][number]['attributes'] {
  return span.events.find(event => event.name === name)?.attributes ?? expect.fail(`No ${name}`);
}
