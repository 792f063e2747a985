// Whether traffic may be sent here, and if not, why: one word, so that nobody has to work it out from numbers at night.
import type { Health } from '../health/instance-health.ts';

/** docs/operations.md says what to do for each. Where several are true the first of this order is answered. */
export type UnreadyReason =
  /** Something is still waited for. */
  | 'starting'
  /** Updates cannot be stored here. */
  | 'intake'
  /** This instance should work and cannot show that it does. */
  | 'work'
  /** No instance is ACTIVE, and there is something to do. */
  | 'nobody_active'
  /** Updates wait, nobody works any, and no instance could do better: no cause to give a lease up. */
  | 'stalled'
  /** Something asked of the database was not answered; answered by /health alone. */
  | 'database';

export interface ReadinessOptions {
  readonly health: Pick<Health, 'intake' | 'work' | 'queueDepth' | 'isStalled'>;
  readonly botMode: 'webhook' | 'polling';
  /** No instance has shown within the stale limit that it is ACTIVE. */
  isAbandoned(): boolean;
}

export interface Readiness {
  readonly reason: Exclude<UnreadyReason, 'starting' | 'database'> | undefined;
  /** No instance is in charge, this one has not become it, and updates wait or, where they are fetched, nobody does. */
  readonly isLeftUndone: boolean;
}

/** Asks the database at most as often as its readings allow. Never rejects. */
export async function readinessOf(options: ReadinessOptions): Promise<Readiness> {
  const { health } = options;
  const [intake, isUndone, isStalled] = await Promise.all([
    health.intake(),
    isLeftUndone(options),
    health.isStalled(),
  ]);
  const reason = !intake.isShown
    ? 'intake'
    : !health.work().isShown
      ? 'work'
      : isUndone
        ? 'nobody_active'
        : isStalled
          ? 'stalled'
          : undefined;
  return { reason, isLeftUndone: isUndone };
}

async function isLeftUndone({ isAbandoned, botMode, health }: ReadinessOptions): Promise<boolean> {
  if (!isAbandoned()) return false;
  return botMode === 'polling' || ((await health.queueDepth()) ?? 0) > 0;
}
