// The stream of lines to an OTLP collector: pino's transport, in a worker thread. The thread can die, hang, or fall
// behind; none of that may end the program, make it wait, or fill its memory. What does not go out is counted.
import type { Worker } from 'node:worker_threads';
import pino from 'pino';

export interface LogExport {
  write(line: string): void;
  /** How pino sends a thread its configuration; each thread waits for it. */
  emit(event: 'message', message: unknown): void;
  /** Ends the thread, waiting at most `deadlineMs` for what it still holds. Never rejects. */
  stop(deadlineMs: number): Promise<void>;
  /** Lines that were dropped since the start, as far as that can be known here. */
  dropped(): number;
}

export interface LogExportOptions {
  readonly serviceName: string;
  readonly serviceVersion: string;
  /** The thread has ended; lines are dropped until there is another one. */
  readonly onEnded: (reason: Error | undefined) => void;
  /** Another one takes lines; so many were dropped in between. */
  readonly onResumed: (lines: number) => void;
  readonly restartMs?: number;
}

/** The transport's default queue of 2 048 records drops the rest of a burst silently. */
const otlpQueueSize = 20_000;
/** One that ends again and again must not cost the program its time. */
const defaultRestartMs = 10_000;

type Thread = ReturnType<typeof startThread>;

/** The transport reads OTEL_EXPORTER_OTLP_* itself. */
export function createLogExport(options: LogExportOptions): LogExport {
  const { restartMs = defaultRestartMs } = options;
  let dropped = 0;
  let restart: NodeJS.Timeout | undefined;
  let isStopped = false;
  let isFull = false;
  let thread: Thread | undefined;
  let configuration: unknown;
  let closed: Promise<void> = Promise.resolve();

  function start(): void {
    const started = startThread(options);
    let reason: Error | undefined;
    // Without a listener it would end the process.
    started.on('error', (error: Error) => {
      reason ??= error;
    });
    started.on('drain', () => {
      isFull = false;
    });
    closed = new Promise(resolve => started.once('close', () => resolve()));
    started.once('close', () => {
      thread = undefined;
      isFull = false;
      if (isStopped) return;
      const droppedBefore = dropped;
      options.onEnded(reason);
      restart = setTimeout(() => {
        start();
        options.onResumed(dropped - droppedBefore);
      }, restartMs).unref();
    });
    thread = started;
    if (configuration !== undefined) started.emit('message', configuration);
  }

  start();
  return {
    write(line) {
      if (thread && !isFull) isFull = !thread.write(line);
      else dropped += 1;
    },
    emit(event, message) {
      configuration = message;
      thread?.emit(event, message);
    },
    async stop(deadlineMs) {
      isStopped = true;
      clearTimeout(restart);
      if (!thread) return;
      const ending = thread;
      let isOver = false;
      let timer: NodeJS.Timeout | undefined;
      const over = new Promise<void>(resolve => {
        timer = setTimeout(() => {
          isOver = true;
          resolve();
        }, deadlineMs);
      });
      // The library ends a thread by waiting for it in this one, up to 20 s: not before it has answered.
      await Promise.race([new Promise<void>(resolve => ending.flush(() => resolve())), over]);
      if (!isOver) {
        ending.end();
        await Promise.race([closed, over]);
      }
      clearTimeout(timer);
      if (isOver) await terminate(ending);
    },
    dropped: () => dropped,
  };
}

/** Left alone, the library would wait for it at the end of the process. */
async function terminate(thread: Thread): Promise<void> {
  // SAFETY: the one way to it, which its types leave out; the thread may be of no use any more, but it is one.
  await (thread as unknown as { readonly worker: Worker }).worker.terminate();
}

function startThread({ serviceName, serviceVersion }: LogExportOptions): ReturnType<typeof pino.transport> {
  return pino.transport({
    target: 'pino-opentelemetry-transport',
    options: {
      loggerName: serviceName,
      serviceVersion,
      resourceAttributes: { 'service.name': serviceName, 'service.version': serviceVersion },
      logRecordProcessorOptions: {
        recordProcessorType: 'batch',
        exporterOptions: { protocol: otlpProtocol() },
        processorConfig: { maxQueueSize: otlpQueueSize },
      },
    },
    // The detectors would otherwise describe the worker thread, its command line and the machine's owner.
    worker: { env: { ...process.env, OTEL_NODE_RESOURCE_DETECTORS: 'env' } },
  });
}

/** The transport calls OTLP over JSON `http`; the variables are OTel's own and are read where OTel would. */
function otlpProtocol(): 'http' | 'http/protobuf' | 'grpc' {
  const configured = process.env.OTEL_EXPORTER_OTLP_LOGS_PROTOCOL ?? process.env.OTEL_EXPORTER_OTLP_PROTOCOL;
  if (configured === 'grpc') return 'grpc';
  return configured === 'http/json' ? 'http' : 'http/protobuf';
}
