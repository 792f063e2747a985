// The port through which results and notices reach the user, and the words for how that went. Implemented where the
// messenger is known; the pipeline decides what to send, when, and what follows from a failure.
import type { ReasonCode } from '../otel/reasons.ts';
import type { DeliveryClaim, DeliveryRow } from '../storage/delivery-store.ts';
import type { TaskRow } from '../storage/task-store.ts';

export interface Delivered {
  readonly ok: true;
  readonly messageId: number;
  /** What the messenger calls the file, to send it again without its bytes. */
  readonly fileId: string | undefined;
  /** What went wrong before it went well. */
  readonly detail: string | undefined;
}

export interface Undelivered {
  readonly ok: false;
  /** The same delivery may succeed later. */
  readonly retry: boolean;
  /** The messenger named the time before which it takes nothing for this user; not counted as an attempt. */
  readonly retryAfterMs: number | undefined;
  /** The user cannot be written to at all. */
  readonly unreachable: boolean;
  readonly reason: ReasonCode;
  readonly detail: string;
  readonly error: unknown;
}

export type DeliveryResult = Delivered | Undelivered;

export interface SettledDelivery {
  readonly row: DeliveryRow;
  readonly result: DeliveryResult;
}

/** The way to the user; implemented where the messenger is known. */
export interface Deliverer {
  /**
   * Sends the rows of a claim, in one call or several. Yields what one call has settled, and goes on when that is
   * recorded. The caller may stop it where the user cannot be written to. Throws for defects only.
   */
  send(task: TaskRow, claim: DeliveryClaim): AsyncIterable<readonly SettledDelivery[]>;
  /** Lets the message that says that the task runs say that its result is there; `send` does so after the last file. */
  close(task: TaskRow): Promise<void>;
}
