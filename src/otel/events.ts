// The closed catalogue of events: the steps of an update, a task and the process. An event is one entry
// here: domain, level, the fields it cannot be emitted without, those it may add, one line of
// documentation. `emit()` takes its types from this table, so an unknown event or a missing required
// field does not compile. Ambient fields (cid, update_id, user_hash …) need not be listed.
import type { Domain, FieldName, Level } from './fields.ts';

interface EventDefinition {
  readonly domain: Domain;
  readonly level: Level;
  readonly required: readonly FieldName[];
  readonly optional: readonly FieldName[];
  readonly doc: string;
}

const define = <const E extends Record<string, EventDefinition>>(definitions: E): Readonly<E> => definitions;

export const events = define({
  UPDATE_RECEIVED: {
    domain: 'WEBHOOK',
    level: 'INFO',
    required: ['update_id', 'event_type'],
    optional: ['callback_id'],
    doc: 'An update arrived, by webhook or by polling.',
  },
  UPDATE_DUPLICATE: {
    domain: 'QUEUE',
    level: 'INFO',
    required: ['original_cid'],
    optional: [],
    doc: 'The update was stored before; original_cid is the trace that works it.',
  },
  UPDATE_REFUSED: {
    domain: 'WEBHOOK',
    level: 'WARNING',
    required: ['reason_code', 'reason_text'],
    optional: ['reason_detail'],
    doc: 'A request to the webhook was not an update of ours and was not stored.',
  },
  QUEUE_ENQUEUE: {
    domain: 'QUEUE',
    level: 'INFO',
    required: ['latency_ms'],
    optional: [],
    doc: 'The update is durable; only now is it acknowledged.',
  },
  QUEUE_PICK: {
    domain: 'QUEUE',
    level: 'INFO',
    required: ['worker_id', 'latency_ms'],
    optional: [],
    doc: 'A worker took the update; latency_ms counts from its receipt.',
  },
  DISPATCH_START: {
    domain: 'QUEUE',
    level: 'INFO',
    required: ['handler'],
    optional: [],
    doc: 'The handler chain begins.',
  },
  DISPATCH_OK: {
    domain: 'QUEUE',
    level: 'INFO',
    required: ['result', 'reason_code', 'latency_ms', 'duration_ms'],
    optional: [],
    doc: 'The update has its outcome; latency_ms counts from its receipt, duration_ms from the pick.',
  },
  DISPATCH_FAIL: {
    domain: 'QUEUE',
    level: 'ERROR',
    required: ['reason_code', 'error_type', 'error_message', 'latency_ms', 'duration_ms'],
    optional: ['reason_detail', 'result'],
    doc: 'The update ended in a fault; the user was told once, with the cid, where that was possible.',
  },
  DEAD_LETTER: {
    domain: 'QUEUE',
    level: 'ERROR',
    required: ['reason_code', 'reason_detail'],
    optional: [],
    doc: 'Three attempts ended without an outcome; the update is parked for an operator.',
  },
  COMMAND_RECEIVED: {
    domain: 'UX',
    level: 'INFO',
    required: ['payload_sanitized'],
    optional: [],
    doc: 'A message that starts with a slash.',
  },
  COMMAND_START: {
    domain: 'UX',
    level: 'INFO',
    required: ['handler', 'action_id'],
    optional: [],
    doc: 'The command is known and its handler was called.',
  },
  COMMAND_REJECTED: {
    domain: 'UX',
    level: 'WARNING',
    required: ['reason_code', 'reason_text'],
    optional: ['reason_detail', 'action_id'],
    doc: 'The command was refused.',
  },
  MESSAGE_RECEIVED: {
    domain: 'UX',
    level: 'INFO',
    required: ['payload_sanitized'],
    optional: [],
    doc: 'A message that is no command; of its text only the length is kept.',
  },
  CALLBACK_RECEIVED: {
    domain: 'UX',
    level: 'INFO',
    required: ['callback_id', 'button_id', 'payload_sanitized'],
    optional: ['message_id'],
    doc: 'A button was tapped.',
  },
  CALLBACK_ROUTED: {
    domain: 'UX',
    level: 'INFO',
    required: ['handler', 'action_id', 'button_id'],
    optional: [],
    doc: 'The button data was decoded and its handler found.',
  },
  CALLBACK_ACCEPTED: {
    domain: 'UX',
    level: 'INFO',
    required: ['result', 'reason_code', 'button_id', 'screen_id', 'next_screen'],
    optional: ['action_id'],
    doc: 'The handler did what the button says; screen_id is where it was tapped.',
  },
  CALLBACK_REJECTED: {
    domain: 'UX',
    level: 'WARNING',
    required: ['result', 'reason_code', 'reason_text', 'button_id'],
    optional: [
      'reason_detail',
      'expected_state',
      'actual_state',
      'screen_id',
      'action_id',
      'error_type',
      'error_message',
    ],
    doc: 'The tap was refused; reason_code says why.',
  },
  ANSWER_CALLBACK_QUERY: {
    domain: 'UX',
    level: 'INFO',
    required: ['result', 'text'],
    optional: ['reason_detail'],
    doc: 'The spinner on the button was ended, with this text; result failed means Telegram refused.',
  },
  UI_RENDER: {
    domain: 'UX',
    level: 'INFO',
    required: ['screen_id', 'buttons_count', 'operation'],
    optional: ['message_id', 'result', 'reason_detail'],
    doc: 'A screen was shown: operation is send, edit or unchanged.',
  },
  PARAM_INPUT: {
    domain: 'UX',
    level: 'INFO',
    required: ['param_name', 'value', 'source'],
    optional: [],
    doc: 'The user gave a value for a parameter; of free text only the length is kept.',
  },
  PARAM_ACCEPTED: {
    domain: 'UX',
    level: 'INFO',
    required: ['param_name', 'value'],
    optional: [],
    doc: 'The value is valid and in the form.',
  },
  PARAM_VALIDATION_FAILED: {
    domain: 'UX',
    level: 'WARNING',
    required: ['param_name', 'value', 'reason_code', 'hint_to_user'],
    optional: ['allowed'],
    doc: 'The value was refused; the hint is what the user was told.',
  },
  TASK_CREATED: {
    domain: 'MODEL',
    level: 'INFO',
    required: ['task_id', 'model_id', 'model_version'],
    optional: [],
    doc: 'A generation is durable and will be submitted.',
  },
  TASK_PROGRESS: {
    domain: 'MODEL',
    level: 'INFO',
    required: ['task_id', 'model_id', 'operation'],
    optional: ['reason_detail', 'model_version', 'attempt', 'error_type'],
    doc: 'A step of a running generation: submitted, waiting, or retrying.',
  },
  TASK_COMPLETED: {
    domain: 'MODEL',
    level: 'INFO',
    required: ['task_id', 'model_id', 'model_version', 'duration_ms'],
    optional: [],
    doc: 'The supplier has a result.',
  },
  TASK_FAILED: {
    domain: 'MODEL',
    level: 'ERROR',
    required: ['task_id', 'model_id', 'model_version', 'reason_code', 'duration_ms'],
    optional: ['reason_detail', 'error_type'],
    doc: 'The generation ended without a result; the user is told.',
  },
  TASK_LATE_RESULT: {
    domain: 'MODEL',
    level: 'WARNING',
    required: ['task_id', 'model_id', 'model_version'],
    optional: [],
    doc: 'A result arrived after the task had been given up; it is delivered all the same.',
  },
  RESULT_DELIVERED: {
    domain: 'MODEL',
    level: 'INFO',
    required: ['task_id', 'model_id', 'model_version', 'operation', 'message_id', 'latency_ms'],
    optional: [],
    doc: 'The user has the result, or the notice of a failure (operation tells which); latency_ms counts from the creation of the task.',
  },
  DELIVERY_FAILED: {
    domain: 'MODEL',
    level: 'ERROR',
    required: ['task_id', 'model_id', 'model_version', 'operation', 'reason_code'],
    optional: ['reason_detail', 'error_type', 'error_message'],
    doc: 'The result or the notice of a failure could not be sent.',
  },
  KIE_CALLBACK: {
    domain: 'WEBHOOK',
    level: 'INFO',
    required: ['result', 'reason_code'],
    optional: ['task_id', 'reason_detail', 'model_id', 'model_version'],
    doc: 'A callback of KIE.ai arrived and was stored, or was refused.',
  },
  SILENCE_GUARD_WARNING: {
    domain: 'UX',
    level: 'WARNING',
    required: ['reason_detail'],
    optional: ['handler'],
    doc: 'An update was about to end, or a tap to stay, without an answer; the guard stepped in.',
  },
  SYSTEM_WARNING: {
    domain: 'SYSTEM',
    level: 'WARNING',
    required: ['operation', 'error_type', 'error_message'],
    optional: ['reason_code', 'attempt', 'task_id'],
    doc: 'Something outside any update went wrong and will be tried again.',
  },
  BOOT_OK: {
    domain: 'SYSTEM',
    level: 'INFO',
    required: ['operation', 'duration_ms'],
    optional: [],
    doc: 'The process is ready; operation tells its mode.',
  },
  BOOT_FAIL: {
    domain: 'SYSTEM',
    level: 'CRITICAL',
    required: ['error_type', 'error_message'],
    optional: [],
    doc: 'The process could not start; the message says what to mend.',
  },
  SHUTDOWN: {
    domain: 'SYSTEM',
    level: 'INFO',
    required: ['operation', 'duration_ms'],
    optional: ['error_type', 'error_message'],
    doc: 'The process ends; operation names the signal.',
  },
});

export type EventName = keyof typeof events;
