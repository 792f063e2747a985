// Starts the OpenTelemetry SDK for traces and nothing else: no metric or log exporter, no HTTP
// instrumentation (its URLs hold the bot token), pg spans only under a parent. OTEL_* variables are read
// by the SDK itself. Without an OTLP endpoint nothing is exported and nothing complains; trace ids then
// come from telemetry.ts. The context manager runs in either case, because cids depend on it.
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { envDetector, resourceFromAttributes, serviceInstanceIdDetector } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { cidOf } from './cid.ts';
import { carryContext } from './context.ts';

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
  const endpoint = process.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const exporting = endpoint && process.env.OTEL_TRACES_EXPORTER !== 'none';
  const sdk = new NodeSDK({
    serviceName: process.env.OTEL_SERVICE_NAME || options.serviceName,
    resource: resourceFromAttributes({ 'service.version': options.serviceVersion }),
    // Host, process and command line stay out of the resource.
    resourceDetectors: [serviceInstanceIdDetector, envDetector],
    metricReaders: [],
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
    ...traceExport(options.spanProcessors, Boolean(exporting)),
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
  exporting: boolean,
): { spanProcessors: SpanProcessor[] } | { traceExporter: OTLPTraceExporter } {
  if (spanProcessors) return { spanProcessors };
  return exporting ? { traceExporter: new OTLPTraceExporter() } : { spanProcessors: [] };
}
