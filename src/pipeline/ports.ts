// What the pipeline asks of the world beyond the supplier and the database. Each is implemented where that world is
// known; none of them may fail the task that it serves.
import type { TaskRow } from '../storage/task-row.ts';

/** Shows how far a running task is; best effort. */
export interface ProgressBoard {
  /**
   * `gone`: there is no message any more that could show it. `unknown`: it may have been shown, or may still be.
   * `elsewhere`: the message shows something else, and was left alone.
   */
  show(task: TaskRow, percent: number): Promise<'shown' | 'unknown' | 'gone' | 'elsewhere'>;
}

/** Calls for a human of ours. */
export interface Alarm {
  /** The supplier refuses our account: no credits, a wrong key, a cap. `detail` names its answer. */
  accountRefused(detail: string): Promise<void>;
  /** The disk of this machine takes no files, so that none can be passed on. `detail` says why. */
  diskRefused(detail: string): Promise<void>;
  /** A task was ended, or what it owed was given up, because of a fault of ours. `detail` names it. */
  givenUp(detail: string): Promise<void>;
  /** The supplier has switched a model off; it is not offered any more. */
  modelSwitchedOff(modelId: string): Promise<void>;
}

/** What is for sale. */
export interface Offer {
  /** Takes a model out of it, until an administrator brings it back. */
  switchOff(modelId: string, reason: string): Promise<void>;
}
