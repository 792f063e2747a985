// The vocabulary of telemetry: every field an event may carry, spelled once. The same names are used on
// stdout, as span attributes, in Jaeger and in the database. Durations are milliseconds.
import type { ReasonCode } from './reasons.ts';

export type EventType =
  | 'message'
  | 'command'
  | 'text_input'
  | 'callback_query'
  | 'pre_checkout_query'
  | 'my_chat_member'
  | 'kie_callback'
  | 'job'
  | 'unknown';
export type BotState = 'ACTIVE' | 'PASSIVE';
export type Domain = 'UX' | 'BILLING' | 'MODEL' | 'STORAGE' | 'LOCK' | 'WEBHOOK' | 'QUEUE' | 'SYSTEM';
export type Result = 'accepted' | 'rejected' | 'noop' | 'failed';
export type Level = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';
export type ParameterSource = 'button' | 'text' | 'upload';

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
  expected_state: string;
  actual_state: string;
  payload_sanitized: string;
  param_name: string;
  /** Enumerations and numbers as they are; of free text only its length, as `text(12)`. */
  value: string;
  source: ParameterSource;
  allowed: string;
  hint_to_user: string;
  buttons_count: number;
  next_screen: string;
  operation: string;
  original_cid: string;
  /** The text that the bot itself showed, never what a user wrote. */
  text: string;
  queue_depth: number;
  refused_count: number;
  worker_id: string;
  latency_ms: number;
  duration_ms: number;
  task_id: string;
  model_id: string;
  model_version: string;
  error_type: string;
  error_message: string;
  attempt: number;
  lock_epoch: number;
  user_hash: string;
  chat_hash: string;
}

/** Fields that the surrounding update, job or process supplies to every event inside it. */
export type AmbientFields = Partial<EventFields>;
export type FieldName = keyof EventFields;
