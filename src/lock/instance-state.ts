// What the rest of the bot may know about the lock.
import type { BotState } from '../otel/fields.ts';

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

/** What this instance is, for parts that are made before its role. */
export interface InstanceStateHolder extends InstanceState {
  /** From now on `state` answers. Before that nothing is worked here, and nothing is known of others. */
  follow(state: InstanceState): void;
  botState(): BotState;
}

export function createStateHolder(): InstanceStateHolder {
  let followed: InstanceState | undefined;
  const isActive = (): boolean => followed?.isActive() ?? false;
  return {
    follow(state) {
      followed = state;
    },
    isActive,
    isAbandoned: () => followed?.isAbandoned() ?? false,
    isHolderLate: () => followed?.isHolderLate() ?? false,
    botState: () => (isActive() ? 'ACTIVE' : 'PASSIVE'),
  };
}
