// Starts the real SDK with an exporter in memory, before any module that is instrumented is loaded. Spans of
// a test are told from others by their trace id, so tests need not clear anything.
import { InMemorySpanExporter, SimpleSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { startSdk } from '../../src/otel/sdk.ts';

export const spanExporter = new InMemorySpanExporter();

export interface OpenSpan {
  readonly name: string;
  readonly traceId: string;
}

/** Spans that were started and not ended yet, by id. */
export const openSpans = new Map<string, OpenSpan>();

/** The ids of all spans as they were started: start times are whole milliseconds and often equal. */
const startOrder = new Map<string, number>();

/** Where a span stands among all that were started; 0 is the first. */
export const startPosition = (spanId: string): number => startOrder.get(spanId) ?? Number.POSITIVE_INFINITY;

const watchSpans: SpanProcessor = {
  onStart(span) {
    const { spanId, traceId } = span.spanContext();
    openSpans.set(spanId, { name: span.name, traceId });
    startOrder.set(spanId, startOrder.size);
  },
  onEnd: span => void openSpans.delete(span.spanContext().spanId),
  forceFlush: async () => {},
  shutdown: async () => {},
};

if (process.env.OTEL_SDK_DISABLED !== 'true') {
  startSdk({
    serviceName: 'trt-test',
    serviceVersion: '0',
    spanProcessors: [new SimpleSpanProcessor({ exporter: spanExporter }), watchSpans],
  });
}
