// Writes event lines. stdout is synchronous, so that a hard kill loses no line; the optional OTLP stream
// is a second, independent logger behind a worker thread (its batches may be lost on a kill, stdout's
// lines are not). stdout has the names of our vocabulary, as JSON or key=value; the OTLP stream has
// pino's native lines (numeric level and time), because its transport expects those.
import pino from 'pino';
import type { Level } from './fields.ts';
import { createLineWriter } from './line-writer.ts';

export type LogFormat = 'json' | 'kv';

export interface LogDestination {
  write(line: string): void;
}

export interface LoggerOptions {
  readonly format: LogFormat;
  readonly level: Level;
  /** Where stdout's lines go; process stdout by default. */
  readonly destination?: LogDestination;
  /** Adds the OTLP stream; the transport reads OTEL_EXPORTER_OTLP_* itself. */
  readonly otlp?: { readonly serviceName: string; readonly serviceVersion: string };
}

/** Fields in both forms; `text` begins with a comma where there are any. */
export interface JsonFields {
  readonly values: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** Of one line; the values are asked for only where the text is of no use. */
export interface OwnFields {
  readonly text: string;
  values(): Readonly<Record<string, unknown>>;
}

export function createJsonFields(values: Readonly<Record<string, unknown>>): JsonFields {
  const text = JSON.stringify(values).slice(1, -1);
  return { values, text: text === '' ? '' : `,${text}` };
}

/** `fields` with `added`; undefined where one of them is there already, because a name must not stand twice. */
export function extendJsonFields(
  { values, text }: JsonFields,
  added: Readonly<Record<string, unknown>>,
): JsonFields | undefined {
  for (const name in added) if (values[name] !== undefined) return undefined;
  const more = createJsonFields(added);
  return { values: { ...values, ...added }, text: text + more.text };
}

export interface Logger {
  /** False when a line of that level would not be on stdout, so that callers can skip building it. */
  enabled(level: Level): boolean;
  /** The level from now on, of both streams. */
  setLevel(level: Level): void;
  /**
   * Writes one line, if its level is wanted; returns its time in either case, as it stands in the line. `head` holds the
   * fields that many lines share: turning them into text once per update instead of once per line is most of what a line
   * costs. `own` has the line's own, and its text must not repeat them.
   */
  write(level: Level, head: JsonFields, own: OwnFields, text: string): string;
  /** Ends the OTLP stream, waiting at most `deadlineMs` for what it still holds. */
  stop(deadlineMs: number): Promise<void>;
}

const pinoLevels = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warn',
  ERROR: 'error',
  CRITICAL: 'fatal',
} as const;
const levelNames: Readonly<Record<string, Level>> = {
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
};

/** The transport's default queue of 2 048 records drops the rest of a burst silently. */
const otlpQueueSize = 20_000;

export function createLogger(options: LoggerOptions): Logger {
  const target = options.destination ?? createLineWriter(process.stdout.fd);
  const timestamp = createTimestamp();
  let ts = '';
  let head = '';
  const stdout = pino(
    {
      level: pinoLevels[options.level],
      base: null,
      // pino inserts what this returns as it is, which is the one place for JSON that is ready.
      timestamp: () => ts + head,
      formatters: { level: label => ({ level: levelNames[label] ?? label }) },
    },
    options.format === 'kv' ? keyValueStream(target) : target,
  );
  const transport = options.otlp ? otlpTransport(options.otlp) : undefined;
  const otlp = transport ? pino({ level: pinoLevels[options.level], base: null }, transport) : undefined;
  const enabled = (level: Level): boolean => stdout.isLevelEnabled(pinoLevels[level]);
  return {
    enabled,
    setLevel(level) {
      stdout.level = pinoLevels[level];
      if (otlp) otlp.level = pinoLevels[level];
    },
    write(level, shared, own, text) {
      ts = timestamp();
      if (!enabled(level)) return ts;
      head = shared.text + own.text;
      stdout[pinoLevels[level]](text);
      otlp?.[pinoLevels[level]]({ ...shared.values, ...own.values() }, text);
      return ts;
    },
    async stop(deadlineMs) {
      if (!transport) return;
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, deadlineMs);
        transport.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
        transport.end();
      });
    },
  };
}

/** pino's timestamp as our `ts`; the lines of one millisecond share its text. */
function createTimestamp(): () => string {
  let at = 0;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== at) {
      at = now;
      text = `,"ts":"${new Date(now).toISOString()}"`;
    }
    return text;
  };
}

function otlpTransport(service: {
  serviceName: string;
  serviceVersion: string;
}): ReturnType<typeof pino.transport> {
  return pino.transport({
    target: 'pino-opentelemetry-transport',
    options: {
      loggerName: service.serviceName,
      serviceVersion: service.serviceVersion,
      resourceAttributes: { 'service.name': service.serviceName, 'service.version': service.serviceVersion },
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

function keyValueStream(target: LogDestination): LogDestination {
  return {
    write(line) {
      target.write(`${toKeyValue(JSON.parse(line))}\n`);
    },
  };
}

/** logfmt: bare where unambiguous, JSON string syntax where a value holds spaces, quotes or `=`. */
function toKeyValue(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return `${name}=${/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)}`;
    })
    .join(' ');
}
