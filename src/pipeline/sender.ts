// The port through which deliveries reach the user, and the types for how that went. It is implemented where the
// messenger is known (delivery/telegram-sender.ts); the outbox decides what is sent, when, and what follows a failure.
import type { DetailCodeOf } from '../otel/events.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Delivery, DeliveryClaim } from '../storage/delivery-store.ts';
import type { TaskRow } from '../storage/task-row.ts';

export interface Sent {
  readonly ok: true;
  readonly messageId: number;
  /** What the messenger calls the file, to send it again without its bytes. */
  readonly fileId: string | undefined;
  /** What went wrong before it went well. */
  readonly detail: string | undefined;
}

export interface SendFailure {
  readonly ok: false;
  /** The same delivery may succeed later. */
  readonly retry: boolean;
  /** The messenger takes nothing for this user before this time has passed; not counted as an attempt. */
  readonly retryAfterMs: number | undefined;
  /** The user cannot be written to at all. */
  readonly unreachable: boolean;
  readonly reason: ReasonCode;
  readonly detail: string;
  /** Where the messenger's refusal is one of the cases that the diagnosis tells apart. */
  readonly code?: DetailCodeOf<'DELIVERY_FAILED'> | undefined;
  readonly error: unknown;
}

export type SendResult = Sent | SendFailure;

export interface SettledDelivery {
  readonly row: Delivery;
  readonly result: SendResult;
}

export interface Sender {
  /**
   * Sends the deliveries of a claim, in one call of the messenger or several. Yields what each call has settled, and makes
   * the next call when the caller has recorded that. The caller may stop where the user cannot be written to. Throws for
   * defects only.
   */
  send(task: TaskRow, claim: DeliveryClaim): AsyncIterable<readonly SettledDelivery[]>;
  /** Changes the message "it runs" into "the result is there"; `send` does this itself after the last file. */
  close(task: TaskRow): Promise<void>;
}
