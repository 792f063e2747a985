// The closed catalogue of events: the steps of an update, a task and the process. An event is one entry
// here: domain, level, the fields it cannot be emitted without, those it may add, one line of
// documentation. `emit()` takes its types from this table, so an unknown event or a missing required
// field does not compile. Ambient fields (cid, update_id, user_hash …) need not be listed.
import { type DetailCode, valueProblems } from './detail-codes.ts';
import type { Domain, FieldName, Level } from './fields.ts';
import { warningOperations } from './warning-operations.ts';

interface EventDefinition {
  readonly domain: Domain;
  readonly level: Level;
  readonly required: readonly FieldName[];
  readonly optional: readonly FieldName[];
  /** All that `operation` can be, where the event has one; or, in words, whose names it takes. */
  readonly operations?: readonly string[] | string;
  /** All that `detail_code` can be, where the event has one. */
  readonly details?: readonly DetailCode[];
  readonly doc: string;
  /** Nothing emits it yet; says what will. */
  readonly reserved?: string;
}

const define = <const E extends Record<string, EventDefinition>>(definitions: E): Readonly<E> => definitions;

/** The files and notices that a task owes. */
const deliveries = ['result', 'closing', 'failure', 'original'] as const;

/** Why an instance works no more. */
const lockEndings = [
  'connection ended',
  'connection failed',
  'work could not begin',
  'renewal ended',
  'renewal timed out',
  'renewal came too late',
  'renewal was refused',
  'hand-over',
  'stop',
  'no proof of work: beginning',
  'no proof of work: lane',
  'no proof of work: task',
] as const;

/** What is wrong with a value. */
const problems = [...valueProblems, 'combination_not_offered'] as const satisfies readonly DetailCode[];

/** Why a handler, or what stands before it, refuses. */
const refusals = [
  'form_closed',
  'form_changed',
  'screen_changed',
  'message_unknown',
  'message_expired',
  'quote_expired',
  'price_unknown',
  'disabled',
  'not_this_model',
  'needs_public_address',
  'balance_short',
  'user_busy',
  'not_private',
  ...problems,
] as const satisfies readonly DetailCode[];

/** Why Telegram did not take a call. */
const telegramRefusals = [
  'blocked_by_user',
  'user_unreachable',
  'chat_not_found',
  'telegram_silent',
  'telegram_not_asked',
  'telegram_unreachable',
  'telegram_answer_invalid',
] as const satisfies readonly DetailCode[];

/** How an update ended. */
const endings = [
  ...refusals,
  ...telegramRefusals,
  'bot_blocked',
  'bot_unblocked',
] as const satisfies readonly DetailCode[];

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
    required: ['reason_code', 'reason_text', 'refused_count'],
    optional: ['reason_detail'],
    doc: 'Requests to the webhook were not updates of ours and were not stored: refused_count of them since the last such line. At most one line per second and reason.',
  },
  REQUEST_REFUSED: {
    domain: 'WEBHOOK',
    level: 'INFO',
    required: ['reason_code', 'reason_detail', 'refused_count'],
    optional: [],
    doc: 'Requests that lead nowhere: to no route, unreadable, or too slow; refused_count of them since the last such line. At most one line per second and reason.',
  },
  QUEUE_ENQUEUE: {
    domain: 'QUEUE',
    level: 'INFO',
    required: ['latency_ms', 'queue_depth'],
    optional: [],
    doc: 'The update is durable; only now is it acknowledged.',
  },
  QUEUE_FULL: {
    domain: 'QUEUE',
    level: 'WARNING',
    required: ['queue_depth', 'reason_code', 'refused_count'],
    optional: [],
    doc: 'The inbox has no room: webhooks are answered 429, refused_count of them since the last such line; a poller does not ask (0). At most one line per second.',
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
    optional: ['reason_detail', 'detail_code', 'model_id', 'amount'],
    details: endings,
    doc: 'The update has its outcome; latency_ms counts from its receipt, duration_ms from the pick. Without a QUEUE_PICK: refused at its receipt, because too many of its chat wait.',
  },
  DISPATCH_FAIL: {
    domain: 'QUEUE',
    level: 'ERROR',
    required: ['reason_code', 'error_type', 'error_message', 'latency_ms', 'duration_ms'],
    optional: ['reason_detail', 'result', 'detail_code'],
    details: endings,
    doc: 'The update ended in a fault; the user was answered once, with the cid, where that was possible.',
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
      'detail_code',
      'model_id',
      'amount',
    ],
    details: refusals,
    doc: 'The tap was refused; reason_code says why.',
  },
  ANSWER_CALLBACK_QUERY: {
    domain: 'UX',
    level: 'INFO',
    required: ['result', 'text'],
    optional: ['reason_detail', 'latency_ms'],
    doc: 'The spinner on the button was ended, with this text. result failed: Telegram refused; noop: the silence guard had answered already. With latency_ms, which counts from the receipt: the tap had no outcome by then, and gets it later.',
  },
  PASSIVE_NOTICE: {
    domain: 'UX',
    level: 'WARNING',
    required: ['result', 'reason_code', 'operation', 'text'],
    optional: ['message_id', 'reason_detail'],
    operations: ['send', 'answer'],
    doc: 'The user was notified that the service is being updated: operation is send for a message, answer where the answer to the tap is all.',
  },
  FLOOD_NOTICE: {
    domain: 'UX',
    level: 'WARNING',
    required: ['result', 'reason_code', 'text'],
    optional: ['reason_detail'],
    doc: 'The user was notified that messages were left out because too many of theirs wait; once a minute.',
  },
  UI_RENDER: {
    domain: 'UX',
    level: 'INFO',
    required: ['screen_id', 'buttons_count', 'operation'],
    optional: ['message_id', 'flow_id', 'step_id'],
    operations: ['send', 'edit', 'unchanged'],
    doc: 'A screen was shown: operation is send, edit or unchanged. With flow_id and step_id where it shows a form.',
  },
  RENDER_OWED: {
    domain: 'UX',
    level: 'WARNING',
    required: ['screen_id', 'reason_code', 'reason_detail'],
    optional: [],
    doc: 'A screen, or words alone (NONE), could not be shown and is owed: it is committed with the outcome and shown later, with a UI_RENDER in the same trace.',
  },
  RENDER_DROPPED: {
    domain: 'UX',
    level: 'WARNING',
    required: ['screen_id', 'reason_code', 'reason_detail'],
    optional: [],
    doc: 'What was owed is not shown any more: the user has gone on or blocked the bot, it is too late, or Telegram will not take it.',
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
    optional: ['allowed', 'reason_detail', 'detail_code'],
    details: problems,
    doc: 'The value was refused; detail_code names the problem, the hint is what the user was answered.',
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
    required: ['task_id', 'model_id', 'model_version', 'operation'],
    optional: ['reason_detail', 'attempt', 'error_type'],
    operations: [
      'wait for a place',
      'store files again',
      'files stored',
      'order not sent',
      'outcome unknown',
      'submit again',
      'submitted',
      'callback ignored',
      'waiting',
      'look again',
    ],
    doc: 'A step of a running generation: submitted, waiting, or retrying.',
  },
  TASK_COMPLETED: {
    domain: 'MODEL',
    level: 'INFO',
    required: ['task_id', 'model_id', 'model_version', 'duration_ms'],
    optional: ['reason_detail'],
    doc: 'The supplier has a result; reason_detail where it took more credits than the task was sold for.',
  },
  TASK_FAILED: {
    domain: 'MODEL',
    level: 'ERROR',
    required: ['task_id', 'model_id', 'model_version', 'reason_code', 'duration_ms'],
    optional: ['reason_detail', 'error_type', 'detail_code', 'supplier_code'],
    details: ['submission_unanswered', 'no_result_in_time', 'order_unknown', 'empty_result'],
    doc: 'The generation ended without a result; the user is notified.',
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
    optional: ['position', 'attempt', 'reason_detail'],
    operations: deliveries,
    doc: 'The user has a file or a notice; operation is result, closing, failure or original, position the place of the file, latency_ms counts from the creation of the task.',
  },
  DELIVERY_FAILED: {
    domain: 'MODEL',
    level: 'ERROR',
    required: ['task_id', 'model_id', 'model_version', 'operation', 'reason_code', 'next_attempt'],
    optional: ['position', 'attempt', 'reason_detail', 'error_type', 'error_message', 'detail_code'],
    operations: deliveries,
    details: telegramRefusals,
    doc: 'A file or a notice could not be sent (operation and position say which); next_attempt says whether it is tried again.',
  },
  BALANCE_HOLD: {
    domain: 'BILLING',
    level: 'INFO',
    required: ['task_id', 'amount'],
    optional: ['model_id', 'model_version'],
    doc: 'The price of a task is reserved; all amounts are kopecks.',
  },
  BALANCE_CHARGE: {
    domain: 'BILLING',
    level: 'INFO',
    required: ['task_id', 'amount'],
    optional: ['model_id', 'model_version'],
    doc: 'What was reserved for a task is paid: it has a result.',
  },
  BALANCE_RELEASE: {
    domain: 'BILLING',
    level: 'INFO',
    required: ['task_id', 'amount'],
    optional: ['model_id', 'model_version', 'reason_code'],
    doc: 'What was reserved for a task can be spent again: it failed.',
  },
  BALANCE_REFUND: {
    domain: 'BILLING',
    level: 'INFO',
    required: ['task_id', 'amount'],
    optional: ['model_id', 'model_version', 'reason_code'],
    doc: 'What was paid for a task was given back.',
    reserved: 'for the refund of a task, which comes with payments',
  },
  BALANCE_TOPUP: {
    domain: 'BILLING',
    level: 'INFO',
    required: ['amount', 'operation'],
    optional: [],
    operations: ['topup', 'welcome'],
    doc: 'Money came in: operation is topup for a payment, welcome for the credit of a new user.',
  },
  BALANCE_ADJUST: {
    domain: 'BILLING',
    level: 'INFO',
    required: ['amount'],
    optional: [],
    doc: 'An administrator changed a balance by the amount, which is negative where it was lowered; the ledger says why.',
    reserved: 'for the commands of administrators, which come with payments',
  },
  WALLET_MISMATCH: {
    domain: 'BILLING',
    level: 'ERROR',
    required: ['amount', 'reason_code', 'reason_detail'],
    optional: [],
    doc: 'Wallets, ledger, holds and tasks do not agree. reason_detail has each kind of difference with its count and amount; amount is the sum of them.',
  },
  PRE_CHECKOUT: {
    domain: 'BILLING',
    level: 'INFO',
    required: ['result', 'reason_code'],
    optional: ['text', 'reason_detail', 'latency_ms'],
    doc: 'Telegram asked whether a payment may be taken, and was answered by the instance it asked; text is what the payer reads.',
  },
  KIE_CALLBACK: {
    domain: 'WEBHOOK',
    level: 'INFO',
    required: ['result', 'reason_code'],
    optional: ['task_id', 'reason_detail', 'model_id', 'model_version', 'refused_count', 'detail_code'],
    details: [
      'header_missing',
      'timestamp_invalid',
      'timestamp_off',
      'signature_wrong',
      'other_task',
      'no_such_task',
      'no_task_named',
    ],
    doc: 'A callback of KIE.ai arrived and was stored; or callbacks were refused, refused_count of them since the last such line, at most one line per second and reason.',
  },
  SILENCE_GUARD_WARNING: {
    domain: 'UX',
    level: 'WARNING',
    required: ['detail_code', 'reason_detail'],
    optional: ['latency_ms', 'error_type'],
    details: ['handler_slow', 'no_conclusion', 'says_nothing', 'error_lost'],
    doc: 'An update was about to end, or a tap to stay, without an answer, or an error to be lost: the guard stepped in. detail_code says which; latency_ms counts from the receipt of a tap.',
  },
  STATE_BEFORE: {
    domain: 'UX',
    level: 'DEBUG',
    required: ['screen_id'],
    optional: ['revision', 'form_values', 'model_id', 'model_version'],
    doc: 'Where the user stood before the handler was called: the screen that was tapped, NONE for a message, and the open form.',
  },
  TELEGRAM_CALL: {
    domain: 'UX',
    level: 'DEBUG',
    required: ['operation', 'result', 'duration_ms'],
    optional: ['reason_detail'],
    operations: 'a method of the Bot API',
    doc: 'One attempt of a call to the Bot API; operation is its method, reason_detail what Telegram said against it, or the type of the error where it said nothing.',
  },
  KIE_CALL: {
    domain: 'MODEL',
    level: 'DEBUG',
    required: ['operation', 'result', 'reason_detail', 'duration_ms'],
    optional: [],
    operations: ['createTask', 'recordInfo', 'upload', 'credits'],
    doc: 'One attempt of a call to KIE.ai; reason_detail has the code of its answer, or the type of the error where there was none.',
  },
  SYSTEM_WARNING: {
    domain: 'SYSTEM',
    level: 'WARNING',
    required: ['operation', 'error_type', 'error_message'],
    optional: ['reason_code', 'attempt', 'task_id', 'repeat_count'],
    operations: warningOperations,
    doc: 'Something outside any update went wrong and will be tried again. What a part of the process tries by itself is emitted at once, then the same at most every 10 s, with repeat_count.',
  },
  MODEL_SWITCHED_OFF: {
    domain: 'MODEL',
    level: 'ERROR',
    required: ['model_id', 'reason_code', 'reason_detail'],
    optional: ['model_version'],
    doc: 'The supplier does not make this model any more; it is not offered until an administrator brings it back.',
  },
  ADMIN_ALARM: {
    domain: 'SYSTEM',
    level: 'WARNING',
    required: ['operation', 'result'],
    optional: ['reason_detail'],
    operations: ['supplier account', 'disk of files', 'task given up', 'model switched off'],
    doc: 'An administrator was called by message; operation says for what, result failed that Telegram refused.',
  },
  SUPPLIER_DOWN: {
    domain: 'SYSTEM',
    level: 'ERROR',
    required: ['reason_code', 'error_type', 'error_message'],
    optional: [],
    doc: 'A supplier failed so many times in a row that it is not called any more, only probed; the message names its host and the count.',
  },
  SUPPLIER_UP: {
    domain: 'SYSTEM',
    level: 'INFO',
    required: ['reason_detail', 'duration_ms'],
    optional: [],
    doc: 'The supplier of a SUPPLIER_DOWN answers again and is called as usual; duration_ms is how long it was not.',
  },
  DEBUG_COMMAND: {
    domain: 'SYSTEM',
    level: 'INFO',
    required: ['operation'],
    optional: [],
    operations: 'a command or a button of administrators',
    doc: 'An administrator used a command, a button or a forwarded message of theirs; operation names it, user_hash who.',
  },
  PROBLEM_REPORTED: {
    domain: 'UX',
    level: 'WARNING',
    required: ['result'],
    optional: ['reason_detail'],
    doc: 'A user reported a problem; result says whether an administrator was reached.',
  },
  USER_EXPORTED: {
    domain: 'UX',
    level: 'INFO',
    required: ['result', 'duration_ms'],
    optional: ['reason_detail'],
    doc: 'A user asked for a copy of everything that is stored about them; result says whether Telegram took the document.',
  },
  USER_ERASED: {
    domain: 'UX',
    level: 'WARNING',
    required: ['result', 'duration_ms'],
    optional: ['reason_detail'],
    doc: 'A user had themselves erased; rejected when something of theirs had begun to run meanwhile.',
  },
  DEBUG_ENABLED: {
    domain: 'SYSTEM',
    level: 'INFO',
    required: ['operation', 'user_hash', 'until'],
    optional: [],
    operations: ['command', 'follow'],
    doc: 'This instance emits DEBUG events too, until then; user_hash is the administrator. operation: command where it was asked for, follow on the other instances and after a restart.',
  },
  DEBUG_DISABLED: {
    domain: 'SYSTEM',
    level: 'INFO',
    required: ['operation'],
    optional: ['user_hash'],
    operations: ['command', 'follow', 'expired'],
    doc: 'This instance is back at its own level. operation: command where it was asked for, follow on the other instances, expired when the time was over; user_hash is the administrator of a command.',
  },
  BOOT_OK: {
    domain: 'SYSTEM',
    level: 'INFO',
    required: ['operation', 'duration_ms'],
    optional: ['bot_username', 'port', 'webhook_address', 'release'],
    operations: ['webhook', 'polling'],
    doc: 'The process is ready; operation is its mode.',
  },
  BOOT_FAIL: {
    domain: 'SYSTEM',
    level: 'CRITICAL',
    required: ['error_type', 'error_message'],
    optional: [],
    doc: 'The process could not start; the message says what to fix.',
  },
  LOCK_ACQUIRED: {
    domain: 'LOCK',
    level: 'INFO',
    required: ['lock_epoch', 'duration_ms'],
    optional: [],
    doc: 'This instance is ACTIVE; duration_ms is how long it had waited.',
  },
  LOCK_RELEASED: {
    domain: 'LOCK',
    level: 'INFO',
    required: ['lock_epoch', 'operation'],
    optional: [],
    operations: lockEndings,
    doc: 'This instance has given the lock back: to another release or mode, because it cannot show that it works, or because it stops; operation says which.',
  },
  LOCK_LOST: {
    domain: 'LOCK',
    level: 'ERROR',
    required: ['lock_epoch', 'operation'],
    optional: [],
    operations: lockEndings,
    doc: 'This instance is PASSIVE at once; operation says how it found out. What was in flight may be worked again.',
  },
  LOCK_TAKEOVER: {
    domain: 'LOCK',
    level: 'WARNING',
    required: ['lock_epoch', 'reason_detail'],
    optional: [],
    doc: 'A holder that had stopped renewing was ended; lock_epoch is the one it had.',
  },
  SHUTDOWN: {
    domain: 'SYSTEM',
    level: 'INFO',
    required: ['operation', 'duration_ms'],
    optional: ['error_type', 'error_message'],
    operations: ['SIGTERM', 'SIGINT', 'uncaughtException', 'unhandledRejection'],
    doc: 'The process ends; operation names the signal.',
  },
});

export type EventName = keyof typeof events;

/** What `detail_code` of an event can be; never where it has none. */
export type DetailCodeOf<N extends EventName> = (typeof events)[N] extends {
  readonly details: readonly (infer C)[];
}
  ? C
  : never;

/** What `operation` of an event can be: its list, or any text where its names are those of another catalogue. */
export type OperationOf<N extends EventName> = (typeof events)[N] extends {
  readonly operations: readonly (infer O)[];
}
  ? O
  : (typeof events)[N] extends { readonly operations: string }
    ? string
    : never;
