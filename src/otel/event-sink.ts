// What keeps events: stdout and the OTLP stream (logger.ts), the journal (span-journal.ts), the counters
// (event-counts.ts). All of them get the same event, which is formatted once, when the first of them asks.
import type { EventName } from './events.ts';
import type { Level } from './fields.ts';
import type { Line, OwnFields } from './line.ts';
import type { ReasonCode } from './reasons.ts';
import type { Scope } from './scope.ts';

export interface EmittedEvent {
  readonly name: EventName;
  readonly level: Level;
  /** Without those of the scope. */
  readonly own: OwnFields;
  /** The event's own, or that of its scope. */
  readonly reasonCode: ReasonCode | undefined;
  readonly scope: Scope;
  /** The same for all who ask. */
  line(): Line;
}

export interface EventSink {
  /** Must neither throw nor wait. */
  add(event: EmittedEvent): void;
}
