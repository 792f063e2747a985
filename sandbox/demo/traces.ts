// Owns the question where the traces of the demo go, as OpenTelemetry's own variables decide it, and whether they
// arrived. The exporter itself never fails the work, so what it could not send is only heard through `diag`.
import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import type { Sdk } from '../../src/otel/sdk.ts';
import { service } from '../../src/service.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface TraceExport {
  /** Undefined when no collector is set up. */
  readonly endpoint: string | undefined;
  /** The name under which Jaeger lists them. */
  readonly serviceName: string;
  /** Sends what is still held. False when the collector did not take everything; true too where there is none. */
  flush(): Promise<boolean>;
}

const flushDeadlineMs = 4_000;

/** Must be called before the first span ends. */
export function watchTraceExport(sdk: Sdk, environment: Environment): TraceExport {
  const off =
    environment.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true' ||
    environment.OTEL_TRACES_EXPORTER === 'none';
  const endpoint = off
    ? undefined
    : environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || environment.OTEL_EXPORTER_OTLP_ENDPOINT || undefined;
  let failed = false;
  // Whoever asked for the SDK's own log wants to read it.
  if (endpoint !== undefined && !environment.OTEL_LOG_LEVEL) {
    const ignore = (): void => {};
    const logger: DiagLogger = {
      // Jaeger itself takes traces and no metrics.
      error: (...words) => {
        if (!words.join(' ').includes('metrics export failed')) failed = true;
      },
      warn: ignore,
      info: ignore,
      debug: ignore,
      verbose: ignore,
    };
    diag.setLogger(logger, { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true });
  }
  return {
    endpoint,
    serviceName: environment.OTEL_SERVICE_NAME || service.name,
    async flush() {
      const startedAt = performance.now();
      await sdk.shutdown(flushDeadlineMs);
      return endpoint === undefined || (!failed && performance.now() - startedAt < flushDeadlineMs);
    },
  };
}
