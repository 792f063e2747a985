// What the rest of the bot may know about the lock.

export interface InstanceState {
  /** This instance works updates and tasks now. */
  isActive(): boolean;
  /** No instance has proved within the stale limit that it is ACTIVE: what users do now is not worked soon. */
  isAbandoned(): boolean;
}
