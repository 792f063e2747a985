// Real telemetry whose spans and lines stay in memory, for one test file at a time.
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { createLogger } from '../../src/otel/logger.ts';
import { createTelemetry, type Telemetry } from '../../src/otel/telemetry.ts';
import { spanExporter } from '../support/record-spans.ts';

export interface RecordedTelemetry {
  readonly telemetry: Telemetry;
  spans(): readonly ReadableSpan[];
  lines(): readonly string[];
  reset(): void;
}

export function recordTelemetry(): RecordedTelemetry {
  const lines: string[] = [];
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
    spans: () => spanExporter.getFinishedSpans(),
    lines: () => lines,
    reset() {
      spanExporter.reset();
      lines.length = 0;
    },
  };
}
