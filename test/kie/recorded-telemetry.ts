// Real telemetry whose spans and lines stay in memory. Registers itself globally, so one per test file.
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { createLogger } from '../../src/otel/logger.ts';
import { createTelemetry, type Telemetry } from '../../src/otel/telemetry.ts';

export interface RecordedTelemetry {
  readonly telemetry: Telemetry;
  spans(): readonly ReadableSpan[];
  lines(): readonly string[];
  reset(): void;
}

export function recordTelemetry(): RecordedTelemetry {
  const exporter = new InMemorySpanExporter();
  const lines: string[] = [];
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
  );
  const telemetry = createTelemetry({
    logger: createLogger({
      format: 'json',
      level: 'DEBUG',
      destination: { write: line => void lines.push(line) },
    }),
    instance: { instance_id: 'test', botState: () => 'ACTIVE' },
    // No scrubbing: what is found clean here was never written, not wiped afterwards.
    scrub: text => text,
    serviceVersion: '0.0.0',
  });
  return {
    telemetry,
    spans: () => exporter.getFinishedSpans(),
    lines: () => lines,
    reset() {
      exporter.reset();
      lines.length = 0;
    },
  };
}
