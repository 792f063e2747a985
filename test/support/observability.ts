// Starts a real Collector with this repository's otel-collector.yaml and a real Jaeger behind it, without
// containers. The binaries are those of OTELCOL_BIN and JAEGER_BIN, or what deploy/observability/install.sh
// built. All ports are on 127.0.0.1, and the system chooses those that the processes then print: a port that is looked
// for beforehand can be taken by the time it is used. Nothing is written to disk.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '../../sandbox/free-port.ts';
import { createLifecycle } from '../../src/lifecycle.ts';
import { createJaegerClient, type JaegerClient } from './jaeger.ts';
import { patienceMs } from './patience.ts';

export interface Observability {
  /** The base address for OTLP over HTTP, as it would stand in OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly otlpEndpoint: string;
  readonly jaeger: JaegerClient;
  /** What Prometheus would be told, with exemplars. */
  metrics(): Promise<string>;
  /** Ends both processes; resolves when they are gone. */
  stop(): Promise<void>;
}

/** The line for a test to print when `startObservability` gives nothing. */
export const observabilityMissing =
  'The Collector and Jaeger are not there: run deploy/observability/install.sh, or set OTELCOL_BIN and JAEGER_BIN.';

const root = fileURLToPath(new URL('../../', import.meta.url));
const startDeadlineMs = patienceMs;
const stopDeadlineMs = 10_000;

type ServerProcess = ChildProcessByStdio<null, null, Readable>;

/**
 * Resolves when spans can be sent and looked up. Resolves with undefined when a binary is missing, so that
 * a test can be skipped, or rejects then if TRT_REQUIRE_OBSERVABILITY=1. Rejects with what a process printed
 * when it does not start.
 */
export async function startObservability(): Promise<Observability | undefined> {
  const collectorPath = await findBinary('OTELCOL_BIN', 'otelcol');
  const jaegerPath = await findBinary('JAEGER_BIN', 'jaeger');
  if (collectorPath === undefined || jaegerPath === undefined) {
    if (process.env.TRT_REQUIRE_OBSERVABILITY === '1') throw new Error(observabilityMissing);
    return undefined;
  }

  const lifecycle = createLifecycle();
  try {
    const jaeger = await startServer(jaegerPath, 'deploy/observability/jaeger.yaml', {
      JAEGER_OTLP_PORT: '0',
      JAEGER_QUERY_PORT: '0',
      JAEGER_HEALTH_PORT: '0',
    });
    lifecycle.onStop('Jaeger', jaeger.stop);

    // The one port that is printed nowhere.
    const prometheusPort = await findFreePort();
    const collector = await startServer(collectorPath, 'otel-collector.yaml', {
      COLLECTOR_GRPC_PORT: '0',
      COLLECTOR_HTTP_PORT: '0',
      COLLECTOR_HEALTH_PORT: '0',
      COLLECTOR_METRICS_PORT: '0',
      COLLECTOR_PROMETHEUS_PORT: String(prometheusPort),
      // For so long an exemplar is told.
      COLLECTOR_SPAN_METRICS_INTERVAL: '1s',
      JAEGER_ENDPOINT: jaeger.printed(/Starting GRPC server.*"endpoint": "([^"]+)"/),
    });
    lifecycle.onStop('the Collector', collector.stop);

    return {
      otlpEndpoint: `http://${collector.printed(/Starting HTTP server.*"endpoint": "([^"]+)"/)}`,
      jaeger: createJaegerClient(`http://${jaeger.printed(/"http_addr": "([^"]+)"/)}`),
      async metrics() {
        const response = await fetch(`http://127.0.0.1:${prometheusPort}/metrics`, {
          headers: { accept: 'application/openmetrics-text; version=1.0.0' },
        });
        return response.text();
      },
      stop: lifecycle.stop,
    };
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

/** A path from the environment must lead to a binary; the one in the cache may be missing. */
async function findBinary(variable: string, name: string): Promise<string | undefined> {
  const given = process.env[variable];
  const cache = process.env.OBSERVABILITY_CACHE || join(root, '.cache/observability');
  const path = given || join(cache, 'bin', name);
  try {
    await access(path, constants.X_OK);
    return path;
  } catch (cause) {
    if (given) throw new Error(`${variable} does not lead to a program: ${given}`, { cause });
    return undefined;
  }
}

interface Server {
  /** The first group of the pattern in what the process printed up to its readiness. */
  printed(pattern: RegExp): string;
  stop(): Promise<void>;
}

/** Starts one of the two and resolves when it is ready. Both are Collectors by build and start alike. */
async function startServer(
  binary: string,
  configuration: string,
  environment: Record<string, string>,
): Promise<Server> {
  // Only the given environment: no variable of the machine may change what is tested.
  const child = spawn(binary, [`--config=file:${join(root, configuration)}`], {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const killNow = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killNow);
  const stop = async (): Promise<void> => {
    await end(child);
    process.off('exit', killNow);
  };

  try {
    const output = await untilReady(child);
    return {
      printed(pattern) {
        const found = pattern.exec(output)?.[1];
        if (found === undefined) throw new Error(`${binary} did not print ${pattern}:\n${output}`);
        return found;
      },
      stop,
    };
  } catch (cause) {
    await stop();
    throw new Error(`${binary} did not start with ${configuration}`, { cause });
  }
}

/** Resolves with the output so far when the process says that all its parts listen. */
async function untilReady(child: ServerProcess): Promise<string> {
  const ready = Promise.withResolvers<string>();
  let output = '';
  const read = (chunk: string): void => {
    output += chunk;
    if (output.includes('Everything is ready')) ready.resolve(output);
  };
  const deadline = setTimeout(() => {
    ready.reject(new Error(`It was not ready within ${startDeadlineMs} ms. It printed:\n${output}`));
  }, startDeadlineMs);

  child.stderr.setEncoding('utf8').on('data', read);
  child.on('error', ready.reject);
  child.once('close', (code, signal) => {
    ready.reject(new Error(`It ended with ${code ?? signal}. It printed:\n${output}`));
  });
  try {
    return await ready.promise;
  } finally {
    clearTimeout(deadline);
    // Without a reader the process would block as soon as the pipe is full.
    child.stderr.off('data', read).resume();
  }
}

async function end(child: ServerProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
  await exited;
  clearTimeout(impatience);
}
