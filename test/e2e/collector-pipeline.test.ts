// What the project's Collector configuration does to telemetry on its way: spans sent with the exporter of the
// bot arrive in a real Jaeger, are found there by cid, keep events and edges, and lose their secrets.
import { randomUUID } from 'node:crypto';
import { type Attributes, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect } from 'vitest';
import type { JaegerSpan } from '../support/jaeger.ts';
import type { Observability } from '../support/observability.ts';
import { testWithObservability } from '../support/with-observability.ts';

const service = `pipeline-test-${randomUUID()}`;
const test = testWithObservability();

test('a trace is found by its cid, with events, reason code and the edge from parent to child', async ({
  observability: running,
}) => {
  const traceId = await withTracer(running, tracer => {
    const root = tracer.startSpan('update callback_query', { kind: SpanKind.SERVER });
    const { traceId } = root.spanContext();
    const cid = cidOf(traceId);
    root.setAttributes({ cid, update_id: 4711 });
    const dispatch = tracer.startSpan(
      'dispatch update',
      { kind: SpanKind.CONSUMER, links: [{ context: root.spanContext() }] },
      trace.setSpan(ROOT_CONTEXT, root),
    );
    dispatch.setAttributes({ cid, result: 'rejected', reason_code: 'STATE_MISMATCH' });
    dispatch.addEvent('CALLBACK_RECEIVED', { cid, button_id: 'generate' });
    dispatch.addEvent('CALLBACK_REJECTED', { cid, reason_code: 'STATE_MISMATCH', allowed: false });
    dispatch.end();
    root.end();
    return traceId;
  });

  const found = await running.jaeger.tracesByTag(
    service,
    { cid: cidOf(traceId) },
    { until: traces => traces[0]?.spans.length === 2 },
  );
  expect(found.map(each => each.traceId)).toEqual([traceId]);
  const root = spanNamed(found[0]?.spans, 'update callback_query');
  const dispatch = spanNamed(found[0]?.spans, 'dispatch update');

  expect(root).toMatchObject({
    service,
    parentId: undefined,
    tags: { update_id: 4711, 'span.kind': 'server' },
  });
  expect(dispatch).toMatchObject({
    parentId: root.spanId,
    tags: { reason_code: 'STATE_MISMATCH', 'span.kind': 'consumer' },
  });
  expect(dispatch.events).toEqual([
    { name: 'CALLBACK_RECEIVED', attributes: { cid: cidOf(traceId), button_id: 'generate' } },
    {
      name: 'CALLBACK_REJECTED',
      attributes: { cid: cidOf(traceId), reason_code: 'STATE_MISMATCH', allowed: false },
    },
  ]);
  expect(dispatch.links).toEqual([{ traceId, spanId: root.spanId }]);
});

test('a search by reason code finds the refused update and not the accepted one', async ({
  observability: running,
}) => {
  const send = (reasonCode: string): Promise<string> =>
    withTracer(running, tracer => {
      const span = tracer.startSpan('dispatch update', { attributes: { reason_code: reasonCode } });
      span.end();
      return span.spanContext().traceId;
    });
  const refused = await send('RATE_LIMIT');
  const accepted = await send('SUCCESS');
  await running.jaeger.trace(accepted);

  const found = await running.jaeger.tracesByTag(service, { reason_code: 'RATE_LIMIT' });
  expect(found.map(each => each.traceId)).toEqual([refused]);
});

const token = `987654321:${'AAFakeTokenOfNobody'.padEnd(35, 'x')}`;

test.for([
  [
    'a bot token in a Bot API address',
    `request to https://api.telegram.org/bot${token}/getMe failed`,
    'request to https://api.telegram.org/****/getMe failed',
  ],
  ['a percent-encoded bot token', `/bot${encodeURIComponent(token)}/getMe`, '/****/getMe'],
  ['a bot token on its own', `token ${token}, refused`, 'token ****, refused'],
  ['a key in an Authorization header', 'authorization: Bearer 0123456789abcdef.kie', 'authorization: ****'],
  ['a database address', 'connect to postgresql://bot:secret@db:5432/trt failed', 'connect to **** failed'],
] as const)(
  '%s arrives as **** wherever it was put',
  async ([, leak, masked], { observability: running }) => {
    const traceId = await withTracer(running, tracer => {
      const span = tracer.startSpan('dispatch update', { attributes: { leak, list: ['fine', leak] } });
      span.addEvent('DISPATCH_FAIL', { error_message: leak });
      span.setStatus({ code: SpanStatusCode.ERROR, message: leak });
      span.end();
      return span.spanContext().traceId;
    });

    const span = spanNamed((await running.jaeger.trace(traceId)).spans, 'dispatch update');
    expect(span.tags).toMatchObject({ leak: masked, 'otel.status_description': masked });
    expect(span.tags.list).toContain('fine');
    expect(span.tags.list).toContain('****');
    expect(span.events).toMatchObject([{ name: 'DISPATCH_FAIL', attributes: { error_message: masked } }]);
    expect(JSON.stringify(span)).not.toContain(leak);
  },
);

test('what only resembles a secret stays as it is', async ({ observability: running }) => {
  const attributes: Attributes = {
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    lock_epoch: 1234567890123,
    robot: 'robot 12:30',
    callback: 'cat:flux:1',
    origin: `1234567890:${'0af7651916cd43dd8448eb211c80319c'}`,
  };
  const traceId = await withTracer(running, tracer => {
    const span = tracer.startSpan('dispatch update', { attributes });
    span.end();
    return span.spanContext().traceId;
  });

  const span = spanNamed((await running.jaeger.trace(traceId)).spans, 'dispatch update');
  expect(span.tags).toMatchObject(attributes);
  expect(span.tags).not.toHaveProperty('redaction.masked.count');
});

test('log records are accepted too', async ({ observability: running }) => {
  const record = {
    timeUnixNano: String(BigInt(Date.now()) * 1_000_000n),
    body: { stringValue: 'cid=a1b2c3d4' },
  };
  const response = await fetch(`${running.otlpEndpoint}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] }),
  });
  expect({ status: response.status, body: await response.json() }).toEqual({
    status: 200,
    body: { partialSuccess: {} },
  });
});

type Tracer = ReturnType<TracerProvider['getTracer']>;

/** Runs `work` with a tracer of its own; all spans have been handed to the Collector when this resolves. */
async function withTracer<Result>(running: Observability, work: (tracer: Tracer) => Result): Promise<Result> {
  const exporter = new OTLPTraceExporter({ url: `${running.otlpEndpoint}/v1/traces` });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  try {
    return work(provider.getTracer('collector-pipeline'));
  } finally {
    await provider.shutdown();
  }
}

function cidOf(traceId: string): string {
  return traceId.slice(0, 8);
}

function spanNamed(spans: readonly JaegerSpan[] | undefined, name: string): JaegerSpan {
  const span = spans?.find(each => each.operationName === name);
  if (!span) throw new Error(`There is no span ${name}`);
  return span;
}
