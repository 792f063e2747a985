// How rows travel into the journal: a batch is one text, fields apart and rows ended by the two control characters that
// exist for that, which JSON never holds unescaped. An array per column costs the program three times as much, JSON twice.
import type { EncodedRow, JournalEntry, JournalRow } from '../otel/journal-row.ts';

const betweenFields = '\x1f';
const endOfRow = '\x1e';

const columns = [
  ['cid', 'text'],
  ['trace_id', 'text'],
  ['span_id', 'text'],
  ['parent_span_id', 'text'],
  ['span_name', 'text'],
  ['duration_ms', 'real'],
  ['failed', 'boolean'],
  ['user_hash', 'text'],
  ['instance_id', 'text'],
  ['release', 'text'],
  ['reason_code', 'text'],
  ['screen_id', 'text'],
  ['model_id', 'text'],
  ['model_version', 'text'],
  ['event_count', 'smallint'],
  ['before', 'jsonb'],
  ['inner_spans', 'jsonb'],
] as const;

/** Of one parameter, what `joinRows` makes. An empty field is null, but for the lines, which are last and never null. */
export const insertRowsText = `
  insert into journal (at, ${columns.map(([name]) => name).join(', ')}, lines)
  select to_timestamp(field[1]::float8 / 1000),
    ${columns.map(([, type], index) => `nullif(field[${index + 2}], '')::${type}`).join(', ')},
    field[${columns.length + 2}]
  from unnest(string_to_array(rtrim($1, E'\\x1e'), E'\\x1e')) as row,
    lateral (select string_to_array(row, E'\\x1f') as field offset 0) as fields`;

/** In the order of the columns; one literal, because this is done for every row on the program's own time. */
export function encodeRow(
  entry: JournalEntry,
  { instanceId, release }: Pick<JournalRow, 'instanceId' | 'release'>,
): EncodedRow {
  const at = entry.at.getTime();
  const before = entry.before === undefined ? '' : JSON.stringify(entry.before);
  const f = betweenFields;
  return {
    at,
    bytes: Buffer.from(
      `${at}${f}${entry.cid}${f}${entry.traceId}${f}${entry.spanId}${f}${entry.parentSpanId ?? ''}${f}${
        entry.spanName ?? ''
      }${f}${entry.durationMs ?? ''}${f}${entry.failed}${f}${entry.userHash ?? ''}${f}${instanceId}${f}${release}${f}${
        entry.reasonCode ?? ''
      }${f}${entry.screenId ?? ''}${f}${entry.modelId ?? ''}${f}${entry.modelVersion ?? ''}${f}${
        entry.eventCount
      }${f}${before}${f}${entry.innerSpans}${f}${entry.lines}${endOfRow}`,
    ),
  };
}

export function joinRows(rows: readonly EncodedRow[]): Buffer {
  return Buffer.concat(rows.map(({ bytes }) => bytes));
}
