// What the rest of the bot may know about the lock.

/** One may be late by accident. */
export const lateAfterHeartbeats = 2;

export interface InstanceState {
  /** This instance works updates and tasks now. */
  isActive(): boolean;
  /** No instance has proved within the stale limit that it is ACTIVE: what users do now is not worked soon. */
  isAbandoned(): boolean;
  /**
   * Another instance that should be at work has missed two heartbeats: it may be frozen, and still has what it took.
   */
  isHolderLate(): boolean;
}
