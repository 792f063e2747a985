// The vocabulary of telemetry: every field an event may carry, spelled once, with its meaning. The same names are
// used on stdout, as span attributes, in Jaeger and in the database. Durations are milliseconds, amounts kopecks.
// docs/telemetry.md is generated from here, and event-check.ts checks values against it in development and test.
import { type DetailCode, detailCodes } from './detail-codes.ts';
import { type ReasonCode, reasons } from './reasons.ts';

const eventTypes = [
  'message',
  'command',
  'text_input',
  'callback_query',
  'pre_checkout_query',
  'my_chat_member',
  'kie_callback',
  'job',
  'unknown',
] as const;
export type EventType = (typeof eventTypes)[number];
export type BotState = 'ACTIVE' | 'PASSIVE';
export type Domain = 'UX' | 'BILLING' | 'MODEL' | 'STORAGE' | 'LOCK' | 'WEBHOOK' | 'QUEUE' | 'SYSTEM';
const results = ['accepted', 'rejected', 'noop', 'failed'] as const;
export type Result = (typeof results)[number];
export type Level = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';
const parameterSources = ['button', 'text', 'upload'] as const;
export type ParameterSource = (typeof parameterSources)[number];
const nextAttempts = ['scheduled', 'elsewhere', 'none'] as const;
/** Whether what failed is tried again: by whoever emits it, by another instance if at all, or never. */
export type NextAttempt = (typeof nextAttempts)[number];

/** Fields that one event adds. */
export interface EventFields {
  event_type: EventType;
  update_id: number;
  callback_id: string;
  message_id: number;
  flow_id: string;
  step_id: string;
  screen_id: string;
  button_id: string;
  action_id: string;
  handler: string;
  result: Result;
  reason_code: ReasonCode;
  reason_text: string;
  reason_detail: string;
  detail_code: DetailCode;
  next_attempt: NextAttempt;
  supplier_code: number;
  expected_state: string;
  actual_state: string;
  payload_sanitized: string;
  param_name: string;
  value: string;
  source: ParameterSource;
  allowed: string;
  hint_to_user: string;
  buttons_count: number;
  next_screen: string;
  operation: string;
  original_cid: string;
  text: string;
  queue_depth: number;
  refused_count: number;
  repeat_count: number;
  worker_id: string;
  latency_ms: number;
  duration_ms: number;
  task_id: string;
  model_id: string;
  model_version: string;
  amount: number;
  error_type: string;
  error_message: string;
  attempt: number;
  position: number;
  revision: number;
  form_values: string;
  until: string;
  lock_epoch: number;
  bot_username: string;
  port: number;
  webhook_address: string;
  release: string;
  user_hash: string;
  chat_hash: string;
}

/** Fields that the surrounding update, job or process supplies to every event inside it. */
export type AmbientFields = Partial<EventFields>;
export type FieldName = keyof EventFields;

interface FieldDefinition<T> {
  readonly type: [T] extends [number] ? 'number' : 'text';
  readonly meaning: string;
  /** All that it can be. */
  readonly values?: readonly T[];
  /** A text that is there and says nothing: other texts are left out instead. */
  readonly mayBeEmpty?: true;
}

const text = 'text';
const number = 'number';

export const fieldDefinitions: { readonly [F in FieldName]: FieldDefinition<EventFields[F]> } = {
  event_type: { type: text, meaning: 'The kind of update, or what else began the work.', values: eventTypes },
  update_id: { type: number, meaning: 'Telegram’s number of the update.' },
  callback_id: {
    type: text,
    meaning: 'Telegram’s id of the tap, under which it is answered.',
    mayBeEmpty: true,
  },
  message_id: { type: number, meaning: 'Telegram’s number of the message in its chat.' },
  flow_id: {
    type: text,
    meaning:
      'The draft of the form that the user is filling in: what links the updates that lead to one order.',
  },
  step_id: {
    type: text,
    meaning: 'Where in that form: the name of the parameter that is asked for, `options` or `confirm`.',
  },
  screen_id: { type: text, meaning: 'The screen: the one that bears the tapped button, or the one shown.' },
  button_id: { type: text, meaning: 'The button, or UNKNOWN where its data does not decode.' },
  action_id: { type: text, meaning: 'What the button or command asks for.' },
  handler: { type: text, meaning: 'The handler that was called.' },
  result: { type: text, meaning: 'How it ended.', values: results },
  reason_code: {
    type: text,
    meaning: 'Why; see the reasons below.',
    // SAFETY: the keys of the table are the reasons, by definition of the type.
    values: Object.keys(reasons) as ReasonCode[],
  },
  reason_text: { type: text, meaning: 'The meaning of the reason, in words.' },
  reason_detail: {
    type: text,
    meaning: 'What this very case adds to the reason, in words, for operators. No program reads it.',
  },
  detail_code: {
    type: text,
    meaning: 'The same for programs: the particular case; see the detail codes below.',
    // SAFETY: the keys of the table are the codes, by definition of the type.
    values: Object.keys(detailCodes) as DetailCode[],
  },
  next_attempt: {
    type: text,
    meaning:
      'Whether what failed is tried again: `scheduled`; `elsewhere`, where another instance has sent it or will; `none` where it was given up.',
    values: nextAttempts,
  },
  supplier_code: { type: number, meaning: 'The code with which the supplier refused or failed.' },
  expected_state: { type: text, meaning: 'The screens, or the form, that the button belongs to.' },
  actual_state: { type: text, meaning: 'The screen, or the form, that was there instead.' },
  payload_sanitized: {
    type: text,
    meaning:
      'The data of a button, or a command, as far as it is one of the bot’s; of all else the kind or the length.',
    mayBeEmpty: true,
  },
  param_name: { type: text, meaning: 'The parameter of the model, by its supplier’s name.' },
  value: {
    type: text,
    meaning: 'Enumerations and numbers as they are; of free text only its length, as `text(12)`.',
  },
  source: { type: text, meaning: 'How the value was given.', values: parameterSources },
  allowed: { type: text, meaning: 'What the parameter accepts.', mayBeEmpty: true },
  hint_to_user: { type: text, meaning: 'What the user was answered about a refused value.' },
  buttons_count: { type: number, meaning: 'How many buttons the screen has.' },
  next_screen: { type: text, meaning: 'The screen that follows.' },
  operation: { type: text, meaning: 'Which of the things that the event can be about; see its line.' },
  original_cid: { type: text, meaning: 'The cid under which the same update was received first.' },
  text: {
    type: text,
    meaning: 'The text that the bot itself showed, never what a user wrote.',
    mayBeEmpty: true,
  },
  queue_depth: { type: number, meaning: 'Updates without an outcome, as far as this instance knows.' },
  refused_count: { type: number, meaning: 'How many were refused so since the last such line.' },
  repeat_count: {
    type: number,
    meaning: 'How often it was met since the last such line, if more than once.',
  },
  worker_id: { type: text, meaning: 'The instance that works the update.' },
  latency_ms: { type: number, meaning: 'From the receipt, or the beginning of the whole, until now.' },
  duration_ms: { type: number, meaning: 'How long this step took.' },
  task_id: { type: text, meaning: 'The generation.' },
  model_id: { type: text, meaning: 'The model, by its id in the catalogue.' },
  model_version: { type: text, meaning: 'The version of the model’s entry in the catalogue.' },
  amount: { type: number, meaning: 'Kopecks.' },
  error_type: { type: text, meaning: 'Class or code of an error.' },
  error_message: {
    type: text,
    meaning: 'What the error says, without secrets.',
    mayBeEmpty: true,
  },
  attempt: { type: number, meaning: 'The how manieth attempt, from 1; absent at the first.' },
  position: { type: number, meaning: 'The place of a file in the result, from 1.' },
  revision: { type: number, meaning: 'How often the form had been changed.' },
  form_values: {
    type: text,
    meaning: 'The parameters of the form as JSON; of free text only its length, of files only their number.',
  },
  until: { type: text, meaning: 'When it ends by itself: a time as in `ts`.' },
  lock_epoch: { type: number, meaning: 'The lease under which this instance commits, or another did.' },
  bot_username: { type: text, meaning: 'The bot’s own name at Telegram.' },
  port: { type: number, meaning: 'Where the HTTP server listens.' },
  webhook_address: { type: text, meaning: 'Where Telegram sends updates; absent when polling.' },
  release: { type: text, meaning: 'RELEASE of this instance.' },
  user_hash: { type: text, meaning: 'The user, as a pseudonym that only HASH_SECRET can link to an id.' },
  chat_hash: { type: text, meaning: 'The chat, likewise.' },
};

/** What every line has besides the fields of its event and of what surrounds it. */
export const lineFields = {
  ts: 'When, in UTC, to the millisecond.',
  level: 'DEBUG, INFO, WARNING, ERROR or CRITICAL.',
  name: 'The event.',
  cid: 'The short id of the trace: the first 8 digits of trace_id. Several traces may share one.',
  trace_id: 'The whole id of the trace.',
  span_id: 'The span in which it happened.',
  trace_flags: '1 where the trace is sampled.',
  bot_state: 'ACTIVE or PASSIVE: of the instance that wrote the line.',
  instance_id: 'The instance that wrote the line.',
  domain: 'The part of the product that the event belongs to.',
  msg: 'The event with the literals that searches look for: `cid=…`, `domain=…` and, where there is one, `reason_code=…`.',
} as const;
