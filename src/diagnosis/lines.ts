// Reads the lines of stdout, as JSON or as key=value, whatever a platform has put in front of them or around them:
// colours, a time, the name of a container, an object of its own with the line as one of its values. Lines of anybody
// else are left out and counted: they are in every log, and are no fault of it.
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { fieldDefinitions } from '../otel/fields.ts';
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

/** Fields that are numbers in JSON; key=value does not distinguish them from texts, such as a cid of digits. */
const numericFields: ReadonlySet<string> = new Set([
  'trace_flags',
  ...Object.entries(fieldDefinitions).flatMap(([name, { type }]) => (type === 'number' ? [name] : [])),
]);

/** `text`: lines of a log, or of a row of the journal. What is not ours is counted, never an error. */
export function parseLines(text: string): ParsedLines {
  const lines = text.split('\n').filter(line => line.trim() !== '');
  const parsed = lines.map(parseLine);
  return { events: parsed.flat(), foreign: parsed.filter(events => events.length === 0).length };
}

/** Nothing for a line that is not ours; several events where a platform has put several lines into one. */
export function parseLine(line: string): readonly ChainEvent[] {
  return eventsOfText(line, 0);
}

/** An object around the line, in another, in a list: that is as much as anybody wraps. */
const maxDepth = 4;
/** Places in one line where an object or a list may begin. */
const maxPlaces = 8;

function eventsOfText(coloured: string, depth: number): readonly ChainEvent[] {
  const text = coloured.includes('\u001b') ? stripVTControlCharacters(coloured) : coloured;
  // As the logger begins it; a platform may have written it anew in an order of its own.
  const usual = text.indexOf('{"level":');
  const places = [...text.matchAll(/[{[]/g)].slice(0, maxPlaces).map(({ index }) => index);
  for (const start of [...(usual < 0 ? [] : [usual]), ...places]) {
    const events = eventsOfValue(jsonFrom(text, start), depth);
    if (events.length > 0) return events;
  }
  // Last: a line that stands in an object has its quotes escaped, and would be read in part.
  return eventOf(fieldsOfKeyValue(text)) ?? [];
}

function eventsOfValue(value: unknown, depth: number): readonly ChainEvent[] {
  if (depth > maxDepth) return [];
  if (typeof value === 'string') return eventsOfText(value, depth + 1);
  if (typeof value !== 'object' || value === null) return [];
  const own = eventOf(value);
  if (own) return own;
  if (isBytes(value)) return eventsOfText(Buffer.from(value).toString(), depth + 1);
  return Object.values(value).flatMap(inner => eventsOfValue(inner, depth + 1));
}

/** As journald gives what holds more than printable characters. */
function isBytes(value: object): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every(byte => Number.isInteger(byte));
}

function eventOf(candidate: unknown): readonly [ChainEvent] | undefined {
  const parsed = lineSchema.safeParse(candidate);
  if (!parsed.success) return undefined;
  const { ts, ...fields } = parsed.data;
  return [{ at: ts, name: fields.name, level: fields.level, spanId: fields.span_id, fields }];
}

/** undefined where it is cut off, or is no JSON. */
function jsonFrom(text: string, start: number): unknown {
  const end = text.lastIndexOf(text[start] === '{' ? '}' : ']');
  if (end < start) return undefined;
  try {
    return JSON.parse(text.slice(start, end + 1));
  } catch {
    // Then it is somebody else's, and is counted as that.
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
