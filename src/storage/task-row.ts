// What a row of `tasks` holds, and how it is read: a column that cannot be read does not fail the whole row.
import { z } from 'zod';
import { type FormValues, formValuesSchema } from '../catalogue/values.ts';
import { type Locale, localeOf } from '../locales.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import { millisecondsSince } from './database-clock.ts';

export type TaskState = 'created' | 'submitting' | 'waiting' | 'succeeded' | 'failed';

export interface TaskRow {
  readonly id: string;
  readonly chatId: number;
  readonly locale: Locale;
  readonly modelId: string;
  readonly modelKey: string;
  readonly modelVersion: string;
  readonly values: FormValues;
  /** What it was sold for; undefined where nothing was held. */
  readonly quote: TaskQuote | undefined;
  /** By parameter, once every input file lies at the supplier. */
  readonly fileUrls: Readonly<Record<string, readonly string[]>> | undefined;
  readonly state: TaskState;
  readonly reasonCode: ReasonCode | null;
  readonly vendorTaskId: string | null;
  readonly callbackToken: string;
  readonly traceparent: string;
  readonly messageId: number | null;
  readonly progress: number | null;
  /** The state of what was held for it; null where nothing was. */
  readonly money: 'held' | 'charged' | 'released' | null;
  readonly submitAttempts: number;
  /** Looks in a row that have ended in an error of ours. */
  readonly failedLooks: number;
  /** How many of the looks that are planned after it was given up have been made. */
  readonly lateLooks: number;
  /** Names the columns that could not be read and are empty here. Such a task can be ended, and nothing else. */
  readonly unreadable: string | undefined;
  /** Milliseconds since it was created, by the database's clock: those of processes differ. */
  ageMs(): number;
  /** The same since it was last submitted; undefined before that. */
  submittedMs(): number | undefined;
  /** The same since it ended; undefined before that. */
  endedMs(): number | undefined;
}

/** The part of a quote that a running task looks at; the whole is stored. */
const taskQuoteSchema = z.object({ kopecks: z.int(), credits: z.number() });
export type TaskQuote = Readonly<z.infer<typeof taskQuoteSchema>>;

const fileUrlsSchema = z.record(z.string(), z.array(z.string()));
export interface TaskRecord {
  id: string;
  chat_id: string;
  language: string;
  model_id: string;
  model_key: string;
  model_version: string;
  inputs: unknown;
  state: TaskState;
  reason_code: ReasonCode | null;
  quote: unknown;
  file_urls: unknown;
  progress: number | null;
  money: 'held' | 'charged' | 'released' | null;
  vendor_task_id: string | null;
  callback_token: string;
  traceparent: string;
  message_id: string | null;
  submit_attempts: number;
  failed_looks: number;
  late_looks: number;
  age_ms: number;
  submitted_ms: number | null;
  ended_ms: number | null;
  now_seconds: number;
}

/** With the user's language, the state of the money, and ages by the database's clock. */
export const selectTask = `select tasks.*, users.language, holds.state as money,
    ${millisecondsSince('tasks.created_at')} as age_ms, ${millisecondsSince('tasks.submitted_at')} as submitted_ms,
    ${millisecondsSince('tasks.finished_at')} as ended_ms,
    extract(epoch from clock_timestamp())::float8 as now_seconds
  from tasks join users using (chat_id) left join holds on holds.task_id = tasks.id`;
/** Ages go on counting from here by the monotonic clock of the process. */
export function toTask(row: TaskRecord): TaskRow {
  const readAt = performance.now();
  const sinceRead = (): number => performance.now() - readAt;
  const unreadable: string[] = [];
  function read<T>(column: 'inputs' | 'quote' | 'file_urls', schema: z.ZodType<T>): T | undefined {
    if (row[column] === null) return undefined;
    const parsed = schema.safeParse(row[column]);
    if (parsed.success) return parsed.data;
    unreadable.push(column);
    return undefined;
  }
  const values = read('inputs', formValuesSchema) ?? {};
  const quote = read('quote', taskQuoteSchema);
  const fileUrls = read('file_urls', fileUrlsSchema);
  return {
    id: row.id,
    chatId: Number(row.chat_id),
    locale: localeOf(row.language),
    modelId: row.model_id,
    modelKey: row.model_key,
    modelVersion: row.model_version,
    values,
    quote,
    fileUrls,
    unreadable: unreadable.length === 0 ? undefined : unreadable.join(', '),
    progress: row.progress,
    money: row.money,
    state: row.state,
    reasonCode: row.reason_code,
    vendorTaskId: row.vendor_task_id,
    callbackToken: row.callback_token,
    traceparent: row.traceparent,
    messageId: row.message_id === null ? null : Number(row.message_id),
    submitAttempts: row.submit_attempts,
    failedLooks: row.failed_looks,
    lateLooks: row.late_looks,
    ageMs: () => row.age_ms + sinceRead(),
    submittedMs: () => (row.submitted_ms === null ? undefined : row.submitted_ms + sinceRead()),
    endedMs: () => (row.ended_ms === null ? undefined : row.ended_ms + sinceRead()),
  };
}
