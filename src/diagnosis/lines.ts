// Reads the lines of stdout, as JSON or as key=value, whatever a platform has put in front of them. Lines of anybody
// else are left out and counted: they are in every log, and are no fault of it.
import { z } from 'zod';
import type { ChainEvent } from './chain.ts';

export interface ParsedLines {
  readonly events: readonly ChainEvent[];
  /** How many lines were not ours; empty lines do not count. */
  readonly foreign: number;
}

const lineSchema = z.looseObject({
  ts: z.iso.datetime().transform(text => new Date(text)),
  level: z.string(),
  name: z.string().regex(/^[A-Z_]+$/),
  trace_id: z.string().regex(/^[0-9a-f]{32}$/),
  span_id: z.string(),
});

/** Fields that are numbers in JSON; key=value does not tell them from texts, such as a cid of digits. */
const numericFields: ReadonlySet<string> = new Set([
  'update_id',
  'message_id',
  'buttons_count',
  'queue_depth',
  'refused_count',
  'latency_ms',
  'duration_ms',
  'amount',
  'attempt',
  'position',
  'lock_epoch',
  'trace_flags',
]);

export function parseLines(text: string): ParsedLines {
  const lines = text.split('\n').filter(line => line.trim() !== '');
  const events = lines.flatMap(line => parseLine(line) ?? []);
  return { events, foreign: lines.length - events.length };
}

/** undefined for a line that is not ours. */
export function parseLine(line: string): ChainEvent | undefined {
  const parsed = lineSchema.safeParse(fieldsOfJson(line) ?? fieldsOfKeyValue(line));
  if (!parsed.success) return undefined;
  const { ts, ...fields } = parsed.data;
  return { at: ts, name: fields.name, level: fields.level, spanId: fields.span_id, fields };
}

function fieldsOfJson(line: string): unknown {
  const start = line.indexOf('{"level":');
  if (start < 0) return undefined;
  try {
    return JSON.parse(line.slice(start));
  } catch {
    // Cut off, or somebody else's: then it is a foreign line.
    return undefined;
  }
}

/** A name, and a value that is bare or in JSON's string syntax, as the logger writes them. */
const pair = /([a-z_]+)=("(?:[^"\\]|\\.)*"|[^\s"=]*)(?:\s|$)/gy;

function fieldsOfKeyValue(line: string): Record<string, unknown> | undefined {
  const start = line.indexOf('level=');
  if (start < 0) return undefined;
  const fields: Record<string, unknown> = {};
  for (const [, name = '', value = ''] of line.slice(start).matchAll(pair)) {
    const text = value.startsWith('"') ? unquoted(value) : value;
    if (text === undefined) return undefined;
    fields[name] = numericFields.has(name) ? Number(text) : text;
  }
  return fields;
}

function unquoted(value: string): string | undefined {
  try {
    return String(JSON.parse(value));
  } catch {
    return undefined;
  }
}
