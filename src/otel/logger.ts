// Writes events as lines. stdout gets the line that the journal gets too, as JSON or key=value. It is synchronous, so
// that a hard kill loses no line that it took. The optional OTLP stream is a pino logger behind a worker thread, whose
// batches may be lost on a kill; it has pino's own lines (numeric level and time), because its transport expects those.
// Neither can end the program or make it wait: what they do not take is dropped and counted, and a warning says so when
// they take lines again.
import { isatty } from 'node:tty';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import pino from 'pino';
import { AppError } from '../errors.ts';
import type { EventSink } from './event-sink.ts';
import { events } from './events.ts';
import type { Level } from './fields.ts';
import { lineText } from './line.ts';
import { createLineWriter, type LineWriter } from './line-writer.ts';
import { createLogExport, type LogExport } from './log-export.ts';
import { createStartLines } from './start-lines.ts';
import { openStdout, stdoutDescriptor } from './stdout.ts';
import type { WarningOperation } from './warning-operations.ts';

export type LogFormat = 'json' | 'kv';

export interface LogDestination {
  write(line: string): void;
}

/** What a warning about the lines themselves is about. */
type LogOperation = Extract<WarningOperation, 'write lines' | 'export lines'>;

export interface LoggerOptions {
  readonly format: LogFormat;
  readonly level: Level;
  /** Where stdout's lines go; process stdout by default. */
  readonly destination?: LogDestination;
  /** Adds the OTLP stream; the transport reads OTEL_EXPORTER_OTLP_* itself. */
  readonly otlp?: { readonly serviceName: string; readonly serviceVersion: string };
}

export interface Logger extends EventSink {
  /** False when a line of that level would not be on stdout, so that callers can skip building it. */
  enabled(level: Level): boolean;
  /** The level from now on, of both streams. */
  setLevel(level: Level): void;
  /** From now on `warn` is called when lines begin to be dropped, and when they are written again; in no span. */
  warnBy(warn: (operation: LogOperation, error: Error) => void): void;
  /** Lines that were dropped since the start, by where they did not go. */
  dropped(): { readonly stdout: number; readonly otlp: number };
  /** Ends the OTLP stream and writes what stdout has not taken, waiting at most `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
  /** Writes what stdout has not taken and holds the thread meanwhile, for an end that leaves no turn of code. */
  drainSync(deadlineMs: number): void;
}

/** Ours, by the names that pino has for them. */
const pinoLevels = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warn',
  ERROR: 'error',
  CRITICAL: 'fatal',
} as const;

export function createLogger(options: LoggerOptions): Logger {
  let report: ((operation: LogOperation, error: Error) => void) | undefined;
  const warn = (operation: LogOperation, message: string): void =>
    context.with(ROOT_CONTEXT, () => report?.(operation, new AppError({ code: 'LINES_LOST', message })));
  const target: LogDestination & Partial<LineWriter> = options.destination ?? createStdoutWriter(warn);
  const formatted = options.format === 'kv' ? keyValueStream(target) : target;
  const lines =
    !options.destination && isatty(stdoutDescriptor) ? createStartLines(target, formatted) : formatted;
  const logExport = options.otlp && createExport(options.otlp, warn);
  // Every line that gets so far is wanted there too.
  const otlp = logExport && pino({ level: pinoLevels.DEBUG, base: null }, logExport);
  let least = severityOf(options.level);
  const enabled = (level: Level): boolean => severityOf(level) >= least;
  return {
    enabled,
    setLevel(level) {
      least = severityOf(level);
    },
    add({ name, level, own, line }) {
      if (!enabled(level)) return;
      lines.write(`${lineText(line())}\n`);
      // The process may not come back from this turn.
      if (level === 'CRITICAL') target.flushSync?.();
      if (!otlp) return;
      const { head, message } = line();
      otlp[pinoLevels[level]]({ ...head.values, name, domain: events[name].domain, ...own }, message);
    },
    warnBy(next) {
      report = next;
    },
    dropped: () => ({ stdout: target.dropped?.() ?? 0, otlp: logExport?.dropped() ?? 0 }),
    async stop(deadlineMs) {
      await Promise.all([logExport?.stop(deadlineMs), target.drain?.(deadlineMs)]);
    },
    drainSync: deadlineMs => target.drainSync?.(deadlineMs),
  };
}

function severityOf(level: Level): number {
  return pino.levels.values[pinoLevels[level]] ?? 0;
}

/** stdout's lines; `warn` hears of the gap where there was one. */
function createStdoutWriter(warn: (operation: LogOperation, message: string) => void): LineWriter {
  return createLineWriter(openStdout(), {
    onDropping: reason =>
      warn('write lines', `stdout takes no lines, from here on they are dropped: ${reason.message}`),
    onResumed: ({ lines, durationMs, reason }) =>
      warn(
        'write lines',
        `${lines} lines before this one were dropped, within ${Math.ceil(durationMs / 1_000)} s in which stdout took none: ${reason.message}`,
      ),
  });
}

function createExport(
  service: NonNullable<LoggerOptions['otlp']>,
  warn: (operation: LogOperation, message: string) => void,
): LogExport {
  const operation = 'export lines';
  return createLogExport({
    ...service,
    onEnded: reason =>
      warn(
        operation,
        `The exporter of lines has ended, until there is another one they are on stdout alone: ${reason?.message ?? 'it gave no reason'}`,
      ),
    onResumed: lines =>
      warn(operation, `The exporter of lines was started again; ${lines} lines did not reach it`),
  });
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
