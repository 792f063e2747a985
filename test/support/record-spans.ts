// Starts the real SDK with an exporter in memory, before any module that is instrumented is loaded. Spans of
// a test are told from others by their trace id, so tests need not clear anything.
import { InMemorySpanExporter, SimpleSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { startSdk } from '../../src/otel/sdk.ts';

export const spanExporter = new InMemorySpanExporter();

/** Spans that were started and not ended yet, by id. */
export const openSpans = new Map<string, string>();

const countOpenSpans: SpanProcessor = {
  onStart: span => void openSpans.set(span.spanContext().spanId, span.name),
  onEnd: span => void openSpans.delete(span.spanContext().spanId),
  forceFlush: async () => {},
  shutdown: async () => {},
};

if (process.env.OTEL_SDK_DISABLED !== 'true') {
  startSdk({
    serviceName: 'trt-test',
    serviceVersion: '0',
    spanProcessors: [new SimpleSpanProcessor({ exporter: spanExporter }), countOpenSpans],
  });
}
