// Starts the OpenTelemetry SDK for traces and metrics: no log exporter, no HTTP instrumentation (its URLs
// hold the bot token), pg spans only under a parent. OTEL_* variables are read by the SDK itself. Without an
// OTLP endpoint nothing is exported and nothing complains; trace ids then come from span-seam.ts. The context
// manager runs in either case, because cids depend on it.
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { envDetector, resourceFromAttributes, serviceInstanceIdDetector } from '@opentelemetry/resources';
import { AggregationType } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { cidOf } from './cid.ts';
import { carryContext } from './context-manager.ts';

export interface Sdk {
  /** Exports what is still held, waiting at most `deadlineMs`, and stops. Never rejects. */
  shutdown(deadlineMs: number): Promise<void>;
}

export interface SdkOptions {
  readonly serviceName: string;
  readonly serviceVersion: string;
  /** Replaces the OTLP export, for tests that read spans in memory. */
  readonly spanProcessors?: SpanProcessor[];
}

export function startSdk(options: SdkOptions): Sdk {
  // Read as the SDK reads them; an empty value counts as unset there too.
  const disabled = process.env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true';
  if (disabled) {
    carryContext();
    return { shutdown: async () => {} };
  }
  const sdk = new NodeSDK({
    serviceName: process.env.OTEL_SERVICE_NAME || options.serviceName,
    resource: resourceFromAttributes({ 'service.version': options.serviceVersion }),
    // Host, process and command line stay out of the resource.
    resourceDetectors: [serviceInstanceIdDetector, envDetector],
    // Left out, they are what OTEL_METRICS_EXPORTER and its companions say.
    ...(exportsMetrics() ? {} : { metricReaders: [] }),
    // Those of instrumentations: of a name that holds the database's, and recorded while an update is worked.
    views: [{ instrumentName: 'db.*', aggregation: { type: AggregationType.DROP } }],
    logRecordProcessors: [],
    instrumentations: [
      new PgInstrumentation({
        requireParentSpan: true,
        ignoreConnectSpans: true,
        requestHook: span => {
          span.setAttribute('cid', cidOf(span.spanContext().traceId));
        },
      }),
    ],
    ...traceExport(options.spanProcessors),
  });
  sdk.start();
  return {
    async shutdown(deadlineMs) {
      const deadline = new Promise<void>(resolve => setTimeout(resolve, deadlineMs).unref());
      // A collector that is down must not turn a clean stop into a failed one.
      await Promise.race([sdk.shutdown().catch(() => {}), deadline]);
    },
  };
}

/** `traceExporter` makes the SDK build its batch processor from OTEL_BSP_*; an empty list exports nothing. */
function traceExport(
  spanProcessors: SpanProcessor[] | undefined,
): { spanProcessors: SpanProcessor[] } | { traceExporter: OTLPTraceExporter } {
  if (spanProcessors) return { spanProcessors };
  return exportsTraces() ? { traceExporter: new OTLPTraceExporter() } : { spanProcessors: [] };
}

function exportsTraces(): boolean {
  return process.env.OTEL_TRACES_EXPORTER !== 'none' && hasOtlpEndpoint('TRACES');
}

/** Prometheus fetches them itself, from a port that the SDK opens for it. */
function exportsMetrics(): boolean {
  const exporter = process.env.OTEL_METRICS_EXPORTER?.trim() || 'otlp';
  return exporter === 'otlp' ? hasOtlpEndpoint('METRICS') : exporter !== 'none';
}

function hasOtlpEndpoint(signal: 'TRACES' | 'METRICS'): boolean {
  return Boolean(
    process.env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] || process.env.OTEL_EXPORTER_OTLP_ENDPOINT,
  );
}
