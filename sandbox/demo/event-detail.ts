// Owns what is worth reading of an event beside its name: the reason, and the one or two fields that say what
// happened. Shared by the terminal and the chat page.
import { formatMoney } from '../../src/billing/money-text.ts';
import type { EventName } from '../../src/otel/events.ts';
import type { EventLine } from '../stage/event-log.ts';

type Describe = (line: EventLine) => string;

const text = (value: unknown): string => (value === undefined ? '' : String(value));
const money = ({ amount }: EventLine): string =>
  typeof amount === 'number' ? formatMoney(amount, 'en') : '';

const details: { readonly [N in EventName]?: Describe } = {
  UPDATE_RECEIVED: line => text(line.event_type),
  QUEUE_ENQUEUE: () => 'stored, then acknowledged',
  COMMAND_RECEIVED: line => text(line.payload_sanitized),
  MESSAGE_RECEIVED: line => text(line.payload_sanitized),
  CALLBACK_RECEIVED: line => text(line.button_id),
  CALLBACK_ROUTED: line => `handler ${text(line.handler)}`,
  CALLBACK_ACCEPTED: line => `${text(line.screen_id)} → ${text(line.next_screen)}`,
  CALLBACK_REJECTED: line => text(line.reason_detail),
  UI_RENDER: line => `${text(line.screen_id)}, ${text(line.operation)}`,
  PARAM_INPUT: line => `${text(line.param_name)} = ${text(line.value)}`,
  PARAM_VALIDATION_FAILED: line => `allowed: ${text(line.allowed)}`,
  TASK_CREATED: line => text(line.model_id),
  TASK_PROGRESS: line => text(line.operation),
  TASK_FAILED: line => text(line.reason_detail),
  BALANCE_HOLD: line => `${money(line)} reserved`,
  BALANCE_CHARGE: line => `${money(line)} paid`,
  BALANCE_RELEASE: line => `${money(line)} back`,
  BALANCE_TOPUP: line => `${money(line)}, ${text(line.operation)}`,
  RESULT_DELIVERED: line => text(line.operation),
  DELIVERY_FAILED: line => text(line.reason_detail),
  DISPATCH_FAIL: line => text(line.error_type),
  SYSTEM_WARNING: line => text(line.error_message),
};

/** The reason code of an event, or undefined where it has none. */
export function reasonOf(line: EventLine): string | undefined {
  return typeof line.reason_code === 'string' ? line.reason_code : undefined;
}

/** A few words; '' when the name says it all. */
export function detailOf(line: EventLine): string {
  // SAFETY: a name outside the catalogue only finds nothing.
  return details[line.name as EventName]?.(line) ?? '';
}
