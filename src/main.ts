// The process: reads the environment, starts the app, and stops it on a signal. Anything that cannot be
// handled ends the process with one last line that says why.
import { buildApp } from './app/app.ts';
import { parseConfig } from './config/config.ts';
import { errorMessage, errorType } from './errors.ts';
import { stopOnSignals } from './lifecycle.ts';
import { createLogger } from './otel/logger.ts';
import { sdk } from './otel/register.ts';
import { createTelemetry, type Telemetry } from './otel/telemetry.ts';
import { service } from './service.ts';

const exportDeadlineMs = 3_000;

function configOrExit(): ReturnType<typeof parseConfig> {
  try {
    return parseConfig(process.env);
  } catch (error) {
    const telemetry = createTelemetry({
      logger: createLogger({ format: 'json', level: 'INFO' }),
      instance: { instance_id: 'unconfigured', botState: () => 'PASSIVE' },
      scrub: text => text,
      serviceVersion: service.version,
    });
    telemetry.emit('BOOT_FAIL', {
      error_type: errorType(error),
      error_message: errorMessage(error),
    });
    process.exit(1);
  }
}

/** An error that nobody waits for: it would be lost. In the trace of the update that caused it, if one did. */
function endOn(
  telemetry: Telemetry,
  operation: 'uncaughtException' | 'unhandledRejection',
): (error: unknown) => void {
  return error => {
    if (config.silenceGuard)
      telemetry.emit('SILENCE_GUARD_WARNING', {
        detail_code: 'error_lost',
        reason_detail: `${operation}: nobody waits for this error; the process ends`,
        error_type: errorType(error),
      });
    telemetry.emit('SHUTDOWN', {
      operation,
      duration_ms: 0,
      error_type: errorType(error),
      error_message: telemetry.scrub(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    });
    process.exit(1);
  };
}

/**
 * Gives back what loading all modules took, some 40 MiB, before there is much to do. Only with --expose-gc, as in
 * `npm start`: the young generation may then be as large as V8 likes it, which saves CPU, and stays small when idle.
 */
function releaseStartupMemory(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

const config = configOrExit();
const shutdownDeadlineMs = config.instance.shutdownGraceMs;
const app = buildApp(config);
const { telemetry } = app;
process.on('uncaughtException', endOn(telemetry, 'uncaughtException'));
process.on('unhandledRejection', endOn(telemetry, 'unhandledRejection'));

let isStopping = false;
stopOnSignals({
  deadlineMs: shutdownDeadlineMs,
  async stop(signal) {
    isStopping = true;
    try {
      await app.stop(signal);
    } finally {
      await sdk.shutdown(exportDeadlineMs);
    }
  },
  onDeadline(signal) {
    telemetry.emit('SYSTEM_WARNING', {
      operation: signal,
      error_type: 'TIMEOUT',
      error_message: `Not everything stopped within ${shutdownDeadlineMs} ms; unfinished updates are picked again at the next start`,
    });
  },
  beforeEnd: app.endNow,
});

try {
  await app.start();
  releaseStartupMemory();
} catch {
  // BOOT_FAIL says why; where a signal did, it also ends the process.
  if (!isStopping) {
    await sdk.shutdown(exportDeadlineMs);
    process.exit(1);
  }
}
