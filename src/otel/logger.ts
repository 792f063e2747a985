// Writes event lines. stdout is synchronous, so that a hard kill loses no line that it took; the optional OTLP stream
// is a second, independent logger behind a worker thread (its batches may be lost on a kill, stdout's
// lines are not). stdout has the names of our vocabulary, as JSON or key=value; the OTLP stream has
// pino's native lines (numeric level and time), because its transport expects those. Neither can end the program or
// make it wait: what they do not take is dropped, counted, and told when they take lines again.
import { isatty } from 'node:tty';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import pino from 'pino';
import { AppError } from '../errors.ts';
import type { Level } from './fields.ts';
import { createLineWriter, type LineWriter } from './line-writer.ts';
import { createLogExport, type LogExport } from './log-export.ts';
import { createStartLines } from './start-lines.ts';
import { openStdout, stdoutDescriptor } from './stdout.ts';

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
  /** Told when lines begin to be dropped, and when they are written again; outside of whatever was going on. */
  readonly warn?: (operation: string, error: Error) => void;
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
  /** Lines that were dropped since the start, by where they did not go. */
  dropped(): { readonly stdout: number; readonly otlp: number };
  /** Ends the OTLP stream and writes what stdout has not taken, waiting at most `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
  /** Writes what stdout has not taken and holds the thread meanwhile, for an end that leaves no turn of code. */
  drainSync(deadlineMs: number): void;
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

export function createLogger(options: LoggerOptions): Logger {
  const warn = (operation: string, message: string): void =>
    context.with(ROOT_CONTEXT, () =>
      options.warn?.(operation, new AppError({ code: 'LINES_LOST', message })),
    );
  const target: LogDestination & Partial<LineWriter> = options.destination ?? createStdoutWriter(warn);
  const lines = options.format === 'kv' ? keyValueStream(target) : target;
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
    !options.destination && isatty(stdoutDescriptor) ? createStartLines(target, lines) : lines,
  );
  const logExport = options.otlp && createExport(options.otlp, warn);
  const otlp = logExport && pino({ level: pinoLevels[options.level], base: null }, logExport);
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
    dropped: () => ({ stdout: target.dropped?.() ?? 0, otlp: logExport?.dropped() ?? 0 }),
    async stop(deadlineMs) {
      await Promise.all([logExport?.stop(deadlineMs), target.drain?.(deadlineMs)]);
    },
    drainSync: deadlineMs => target.drainSync?.(deadlineMs),
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

/** stdout's lines; `warn` is told of the gap where there was one. */
function createStdoutWriter(warn: (operation: string, message: string) => void): LineWriter {
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
  warn: (operation: string, message: string) => void,
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
