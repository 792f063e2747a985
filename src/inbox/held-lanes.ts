// Which lanes are worked here, each by one loop, under which lease. A job for a lane whose loop is at work only has it
// look again. A turn that does not end holds its lane for a limited time: then the loop has lost it, whatever it still
// does, and the next one takes the same update again, whose attempt the database counts.
import { context } from '@opentelemetry/api';
import { leaseLost } from '../lock/lease.ts';
import type { Telemetry } from '../otel/telemetry.ts';

/** What the loop of a lane has still to look at. */
export interface Looking {
  updates: boolean;
  followUps: boolean;
}

export interface HeldLane {
  readonly looking: Looking;
  /** False once another loop may have the lane. */
  isHeld(): boolean;
  /** One turn, to be called in its span. The lane is lost by one that lasts longer than the limit. */
  turn<T>(work: () => Promise<T>): Promise<T>;
  release(): void;
}

export interface HeldLanes {
  /**
   * The lane, for one loop; undefined where another one has it, which then looks at what is wanted. Throws AppError
   * LEASE_LOST where that one was begun under a later lease.
   */
  hold(lane: number, wanted: Looking, epoch: number): HeldLane | undefined;
  underWay(epoch: number): readonly number[];
}

export interface HeldLanesOptions {
  readonly telemetry: Pick<Telemetry, 'emit'>;
  readonly turnLimitMs: number;
}

export function createHeldLanes({ telemetry, turnLimitMs }: HeldLanesOptions): HeldLanes {
  const held = new Map<number, { readonly looking: Looking; readonly epoch: number }>();
  return {
    hold(lane, wanted, epoch) {
      const other = held.get(lane);
      if (other?.epoch === epoch) {
        other.looking.updates ||= wanted.updates;
        other.looking.followUps ||= wanted.followUps;
        return undefined;
      }
      // A job that began to be taken under a former lease: it must not take the place of the loop that works the lane now.
      // A loop that was begun under a former lease picks and commits nothing any more, so that one does not count.
      if (other && other.epoch > epoch) throw leaseLost();
      const own = { looking: { ...wanted }, epoch };
      held.set(lane, own);
      const isHeld = (): boolean => held.get(lane) === own;
      const release = (): void => {
        if (isHeld()) held.delete(lane);
      };
      return {
        looking: own.looking,
        isHeld,
        release,
        async turn(work) {
          const giveUp = (): void => {
            release();
            telemetry.emit('SYSTEM_WARNING', {
              operation: 'work a lane',
              error_type: 'TURN_HANGS',
              error_message: `A turn has not ended within ${Math.round(turnLimitMs / 1_000)} s; its chat goes on without it`,
            });
          };
          const timer = setTimeout(context.bind(context.active(), giveUp), turnLimitMs);
          try {
            return await work();
          } finally {
            clearTimeout(timer);
          }
        },
      };
    },
    underWay: epoch => [...held].filter(([, own]) => own.epoch === epoch).map(([lane]) => lane),
  };
}
