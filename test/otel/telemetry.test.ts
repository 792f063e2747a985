// The seam through which telemetry leaves: spans that end as their work did, events that are a line and a
// span event alike, and the cid of both.
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import type { EmittedEvent } from '../../src/otel/event-sink.ts';
import { type Line, lineText } from '../../src/otel/line.ts';
import { createLogger } from '../../src/otel/logger.ts';
import { createTelemetry } from '../../src/otel/telemetry.ts';
import { spanExporter } from '../support/record-spans.ts';
import { recordTelemetry } from '../support/telemetry.ts';

/** The ended span of that name in the trace with that cid. */
function spanOf(cid: string, name: string): ReadableSpan {
  const fits = (span: ReadableSpan): boolean =>
    span.name === name && span.spanContext().traceId.startsWith(cid);
  return spanExporter.getFinishedSpans().find(fits) ?? expect.fail(`No ended span ${name} in ${cid}`);
}

const warning = { operation: 'job queue', error_type: 'Error', error_message: 'a message' } as const;

test('a span gives back what its work gives, and is named after its cid', async () => {
  const { telemetry } = recordTelemetry();
  const cid = await telemetry.inSpan('work', { attributes: { colour: 'red' } }, async () => telemetry.cid());
  const span = spanOf(cid, 'work');
  expect(cid).toMatch(/^[0-9a-f]{8}$/);
  expect(span.attributes).toMatchObject({ cid, colour: 'red' });
  expect(span.status.code).toBe(SpanStatusCode.UNSET);
});

test('attributes that are no fields stand on the innermost span, and in no line', async () => {
  const { telemetry, line } = recordTelemetry();
  const cid = await telemetry.inSpan('outer', {}, () =>
    telemetry.inSpan('inner', {}, async () => {
      telemetry.setAttributes({ 'rpc.method': 'sendMessage' });
      telemetry.emit('SYSTEM_WARNING', warning);
      return telemetry.cid();
    }),
  );
  expect(spanOf(cid, 'inner').attributes).toMatchObject({ 'rpc.method': 'sendMessage' });
  expect(spanOf(cid, 'outer').attributes).not.toHaveProperty('rpc.method');
  expect(line()).not.toHaveProperty('rpc.method');
});

test('work that fails marks its span, ends it, and the error goes on as it is', async () => {
  const { telemetry } = recordTelemetry({ scrub: text => text.replaceAll('canary', '[secret]') });
  const error = new AppError({ code: 'DATABASE_ERROR', message: `canary ${'x'.repeat(400)}` });
  let cid = '';
  const run = telemetry.inSpan('work', {}, async () => {
    cid = telemetry.cid();
    throw error;
  });
  await expect(run).rejects.toBe(error);
  const span = spanOf(cid, 'work');
  expect(span.status.code).toBe(SpanStatusCode.ERROR);
  expect(span.status.message).toMatch(/^\[secret\] x+$/);
  expect(span.status.message).toHaveLength(300);
  expect(span.attributes).toMatchObject({ 'error.type': 'DATABASE_ERROR' });
  expect(span.events).toMatchObject([
    { name: 'exception', attributes: { 'exception.type': 'DATABASE_ERROR' } },
  ]);
  expect(JSON.stringify(span.events)).not.toContain('canary');
});

test('work that throws before it waits, or throws no Error, is marked too', async () => {
  const { telemetry } = recordTelemetry();
  let cid = '';
  const run = telemetry.inSpan('work', {}, () => {
    cid = telemetry.cid();
    throw 'a bare text';
  });
  await expect(run).rejects.toBe('a bare text');
  expect(spanOf(cid, 'work')).toMatchObject({
    status: { code: SpanStatusCode.ERROR, message: 'a bare text' },
    attributes: { 'error.type': 'string' },
  });
});

test('an error that was handled marks the innermost span alone', async () => {
  const { telemetry } = recordTelemetry();
  const cid = await telemetry.inSpan('outer', {}, () =>
    telemetry.inSpan('inner', {}, async () => {
      telemetry.recordError(new TypeError('handled'));
      return telemetry.cid();
    }),
  );
  expect(spanOf(cid, 'inner')).toMatchObject({
    status: { code: SpanStatusCode.ERROR, message: 'handled' },
    attributes: { 'error.type': 'TypeError' },
  });
  expect(spanOf(cid, 'outer').status.code).toBe(SpanStatusCode.UNSET);
});

test('a span inside another is its child, of the same trace', async () => {
  const { telemetry } = recordTelemetry();
  const cid = await telemetry.inSpan('outer', {}, async () => {
    const inner = await telemetry.inSpan('inner', {}, async () => telemetry.cid());
    expect(inner).toBe(telemetry.cid());
    return inner;
  });
  const [outer, inner] = [spanOf(cid, 'outer'), spanOf(cid, 'inner')];
  expect(inner.parentSpanContext?.spanId).toBe(outer.spanContext().spanId);
  expect(outer.parentSpanContext).toBeUndefined();
});

test('a root span begins a trace of its own, without the fields around it', async () => {
  const { telemetry, line } = recordTelemetry();
  await telemetry.inSpan('outer', { fields: { update_id: 7 } }, async () => {
    await telemetry.inSpan('root', { root: true }, async () => {
      telemetry.emit('SYSTEM_WARNING', warning);
    });
    expect(line().cid).not.toBe(telemetry.cid());
  });
  expect(line()).not.toHaveProperty('update_id');
  expect(spanOf(String(line().cid), 'root').parentSpanContext).toBeUndefined();
});

test('work that goes on later joins the trace it was stored with, and links to it', async () => {
  const { telemetry } = recordTelemetry();
  const traceparent = await telemetry.inSpan('before', {}, async () => telemetry.traceparent());
  const cid = await telemetry.inSpan('elsewhere', {}, () =>
    telemetry.inSpan('after', { traceparent, kind: SpanKind.CONSUMER }, async () => telemetry.cid()),
  );
  const [before, after] = [spanOf(cid, 'before'), spanOf(cid, 'after')];
  expect(traceparent).toContain(before.spanContext().traceId);
  expect(after.parentSpanContext?.spanId).toBe(before.spanContext().spanId);
  expect(after.links.map(link => link.context.spanId)).toEqual([before.spanContext().spanId]);
  expect(after.attributes).toMatchObject({ bot_state: 'ACTIVE' });
});

test('an event is a line and a span event with the same name and fields', async () => {
  const { telemetry, line } = recordTelemetry();
  const cid = await telemetry.inSpan('work', { fields: { update_id: 7 } }, async () => {
    telemetry.emit('SYSTEM_WARNING', warning);
    return telemetry.cid();
  });
  const span = spanOf(cid, 'work');
  expect(line()).toEqual({
    level: 'WARNING',
    ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    cid,
    trace_id: span.spanContext().traceId,
    span_id: span.spanContext().spanId,
    trace_flags: 1,
    bot_state: 'ACTIVE',
    instance_id: 'instance-1',
    update_id: 7,
    name: 'SYSTEM_WARNING',
    domain: 'SYSTEM',
    ...warning,
    msg: `SYSTEM_WARNING cid=${cid} domain=SYSTEM`,
  });
  expect(span.events.map(({ name, attributes }) => [name, attributes])).toEqual([
    ['SYSTEM_WARNING', warning],
  ]);
});

test('a line begins with level, time and ids, then has what surrounds the event, then the event, and ends with msg', async () => {
  const { telemetry, output } = recordTelemetry();
  await telemetry.inSpan('work', { fields: { update_id: 7 } }, async () => {
    telemetry.annotate({ screen_id: 'HELP' });
    telemetry.emit('SYSTEM_WARNING', { ...warning, error_message: 'a "message"\n' });
  });
  const hex = (digits: number): string => `"[0-9a-f]{${digits}}"`;
  expect(output).toEqual([
    expect.stringMatching(
      new RegExp(
        `^\\{"level":"WARNING","ts":"[^"]+","cid":${hex(8)},"trace_id":${hex(32)},"span_id":${hex(16)},"trace_flags":1,` +
          '"bot_state":"ACTIVE","instance_id":"instance-1","update_id":7,"screen_id":"HELP",' +
          '"name":"SYSTEM_WARNING","domain":"SYSTEM","operation":"job queue","error_type":"Error",' +
          String.raw`"error_message":"a \\"message\\"\\n","msg":"SYSTEM_WARNING cid=[0-9a-f]{8} domain=SYSTEM"\}\n$`,
      ),
    ),
  ]);
});

test('all sinks get the same event with the same line, which is what stdout has', async () => {
  const received: { readonly event: EmittedEvent; readonly line: Line }[] = [];
  const sink = { add: (event: EmittedEvent) => void received.push({ event, line: event.line() }) };
  const { telemetry, output } = recordTelemetry({ sinks: [sink, sink] });
  await telemetry.inSpan('work', { fields: { reason_code: 'RATE_LIMIT' } }, async () => {
    telemetry.emit('SYSTEM_WARNING', warning);
    telemetry.emit('STATE_BEFORE', { screen_id: 'HELP' });
  });
  const [first, second, another] = received;
  expect(another).toBeUndefined();
  expect(first?.event).toMatchObject({ name: 'SYSTEM_WARNING', own: warning, reasonCode: 'RATE_LIMIT' });
  expect(second?.event).toBe(first?.event);
  expect(second?.line).toBe(first?.line);
  expect(output).toEqual([`${first && lineText(first.line)}\n`]);
});

test('a line that may be the last of the process does not wait for the end of the turn', () => {
  const done: string[] = [];
  const destination = {
    write: (line: string) => void done.push(JSON.parse(line).name),
    flushSync: () => void done.push('flushed'),
  };
  const telemetry = createTelemetry({
    logger: createLogger({ format: 'json', level: 'INFO', destination }),
    instance: { instance_id: 'instance-1', botState: () => 'ACTIVE' },
    scrub: text => text,
    serviceVersion: '0',
  });
  telemetry.emit('SYSTEM_WARNING', warning);
  telemetry.emit('BOOT_FAIL', { error_type: 'Error', error_message: 'a message' });
  expect(done).toEqual(['SYSTEM_WARNING', 'BOOT_FAIL', 'flushed']);
});

test('what is annotated stands on the span and in the lines that follow, but not around it', async () => {
  const { telemetry, lines } = recordTelemetry();
  const cid = await telemetry.inSpan('outer', { fields: { update_id: 7 } }, async () => {
    await telemetry.inSpan('inner', {}, async () => {
      telemetry.emit('SYSTEM_WARNING', warning);
      telemetry.annotate({ screen_id: 'HELP' });
      telemetry.emit('SYSTEM_WARNING', warning);
    });
    telemetry.emit('SYSTEM_WARNING', warning);
    return telemetry.cid();
  });
  expect(lines.map(({ screen_id }) => screen_id)).toEqual([undefined, 'HELP', undefined]);
  expect(lines.map(({ update_id }) => update_id)).toEqual([7, 7, 7]);
  expect(spanOf(cid, 'inner').attributes).toMatchObject({ screen_id: 'HELP' });
  expect(spanOf(cid, 'outer').attributes).not.toHaveProperty('screen_id');
});

test('no name stands in a line twice, and the event knows better than what surrounds it', async () => {
  const { telemetry, lines, output } = recordTelemetry();
  await telemetry.inSpan('work', { fields: { operation: 'getUpdates', task_id: 'task-1' } }, async () => {
    telemetry.emit('SYSTEM_WARNING', { ...warning, task_id: 'task-1' });
    telemetry.emit('SYSTEM_WARNING', { ...warning, operation: 'getUpdates', task_id: undefined });
    telemetry.emit('SYSTEM_WARNING', { ...warning, task_id: 'task-2' });
  });
  for (const line of output) {
    const names = [...line.matchAll(/"([a-z_]+)":/g)].map(([, name]) => name);
    expect(names.length, line).toBe(new Set(names).size);
  }
  expect(lines.map(({ operation, task_id }) => [operation, task_id])).toEqual([
    ['job queue', 'task-1'],
    ['getUpdates', 'task-1'],
    ['job queue', 'task-2'],
  ]);
});

test('an event outside any span has the cid of the process', () => {
  const { telemetry, lines } = recordTelemetry();
  telemetry.emit('SYSTEM_WARNING', warning);
  telemetry.emit('SYSTEM_WARNING', warning);
  const cid = telemetry.cid();
  expect(lines.map(line => line.cid)).toEqual([cid, cid]);
  expect(cid).toMatch(/^[0-9a-f]{8}$/);
  expect(recordTelemetry().telemetry.cid()).not.toBe(cid);
});

test('outside a span there is nothing to annotate or to mark, and that is no error', () => {
  const { telemetry, line } = recordTelemetry();
  telemetry.annotate({ screen_id: 'HELP' });
  telemetry.recordError(new Error('nobody'));
  telemetry.setAttributes({ colour: 'red' });
  telemetry.emit('SYSTEM_WARNING', warning);
  expect(line()).not.toHaveProperty('screen_id');
});

test('what strangers cause has a fresh cid each time, and no span', async () => {
  const { telemetry, lines } = recordTelemetry();
  await telemetry.inSpan('around', { fields: { update_id: 7 } }, async () => {
    for (let time = 0; time < 2; time += 1) {
      telemetry.outsideTrace(() => telemetry.emit('SYSTEM_WARNING', warning));
    }
    telemetry.emit('SYSTEM_WARNING', warning);
  });
  expect(new Set(lines.map(({ cid }) => cid)).size).toBe(3);
  expect(lines.map(({ update_id }) => update_id)).toEqual([undefined, undefined, 7]);
  const ids = spanExporter.getFinishedSpans().map(span => span.spanContext().traceId);
  for (const { trace_id } of lines.slice(0, 2)) expect(ids).not.toContain(trace_id);
});

test('what the span says itself, its events do not repeat, and the lines do', async () => {
  const { telemetry, lines } = recordTelemetry();
  const cid = await telemetry.inSpan('work', { fields: { task_id: 'task-1' } }, async () => {
    telemetry.annotate({ operation: 'job queue' });
    telemetry.emit('SYSTEM_WARNING', { ...warning, task_id: 'task-1' });
    telemetry.emit('SYSTEM_WARNING', { ...warning, task_id: 'task-2' });
    return telemetry.cid();
  });
  const span = spanOf(cid, 'work');
  expect(span.attributes).toMatchObject({ task_id: 'task-1', operation: 'job queue' });
  const { operation: _ofTheSpan, ...ofTheEvent } = warning;
  expect(span.events.map(({ attributes }) => attributes)).toEqual([
    ofTheEvent,
    { ...ofTheEvent, task_id: 'task-2' },
  ]);
  expect(lines.map(({ operation, task_id }) => [operation, task_id])).toEqual([
    ['job queue', 'task-1'],
    ['job queue', 'task-2'],
  ]);
});

test('a warning says which work failed and why, without secrets', () => {
  const { telemetry, line } = recordTelemetry({ scrub: text => text.replaceAll('canary', '[secret]') });
  telemetry.warn('count the inbox', new TypeError('no canary here'), 'DB_ERROR');
  expect(line()).toMatchObject({
    name: 'SYSTEM_WARNING',
    operation: 'count the inbox',
    error_type: 'TypeError',
    error_message: 'no [secret] here',
    reason_code: 'DB_ERROR',
  });
});

test('a line below the level is not written, and its span event stays', async () => {
  const { telemetry, lines } = recordTelemetry({ level: 'ERROR' });
  const cid = await telemetry.inSpan('work', {}, async () => {
    telemetry.emit('SYSTEM_WARNING', warning);
    return telemetry.cid();
  });
  expect(lines).toEqual([]);
  expect(spanOf(cid, 'work').events.map(({ name }) => name)).toEqual(['SYSTEM_WARNING']);
});
