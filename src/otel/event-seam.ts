// The seam through which events leave: `emit` makes one event a span event and hands it to all sinks, in their order.
// It never fails the work that it describes.
import type { Attributes } from '@opentelemetry/api';
import { checkEvent } from './event-check.ts';
import type { EmittedEvent, EventSink } from './event-sink.ts';
import { type DetailCodeOf, type EventName, events, type OperationOf } from './events.ts';
import type { AmbientFields, BotState, EventFields } from './fields.ts';
import { createLineHead, formatLine, type Line, type LineHead, type OwnFields } from './line.ts';
import type { ReasonCode } from './reasons.ts';
import type { Scrubber } from './redaction.ts';
import { activeScope, type Scope } from './scope.ts';
import { warningFields } from './warning.ts';
import type { WarningOperation } from './warning-operations.ts';

type Required<N extends EventName> = (typeof events)[N]['required'][number];
type Optional<N extends EventName> = (typeof events)[N]['optional'][number];

/** Of fields that each event has its own list for, what this event may say. */
type ValueOf<N extends EventName, F extends keyof EventFields> = F extends 'detail_code'
  ? DetailCodeOf<N>
  : F extends 'operation'
    ? OperationOf<N>
    : EventFields[F];

/** What `emit(name, …)` must and may be given; everything else does not compile. */
export type FieldsOf<N extends EventName> = {
  readonly [F in Required<N>]: ValueOf<N, F>;
} & {
  readonly [F in Exclude<Optional<N>, Required<N>>]?: ValueOf<N, F> | undefined;
};

export interface InstanceFields {
  readonly instance_id: string;
  botState(): BotState;
}

export interface EventSeam {
  emit<N extends EventName>(name: N, fields: FieldsOf<N>): void;
  /** False when the event would leave no trace, so that callers can skip what its fields cost. */
  isEnabled(name: EventName): boolean;
  /** Emits SYSTEM_WARNING: `operation` failed with `error`, and no event of an update says so. */
  warn(operation: WarningOperation, error: unknown, reason?: ReasonCode): void;
}

export interface EventSeamOptions {
  readonly sinks: readonly EventSink[];
  readonly instance: InstanceFields;
  readonly scrub: Scrubber;
  /** Events outside any span belong to it. */
  readonly processScope: Scope;
  /** Whether DEBUG events are emitted now; all others always are. */
  isDebugEnabled(): boolean;
  /** Events against their contract throw. */
  readonly checked: boolean;
}

export function createEventSeam(options: EventSeamOptions): EventSeam {
  const { sinks, instance, scrub, processScope, isDebugEnabled, checked } = options;

  function isEnabled(name: EventName): boolean {
    return events[name].level !== 'DEBUG' || isDebugEnabled();
  }

  function emit<N extends EventName>(name: N, fields: FieldsOf<N>): void {
    if (checked) checkEvent(name, fields);
    if (!isEnabled(name)) return;
    const scope = activeScope() ?? processScope;
    // SAFETY: FieldsOf<N> is a subset of EventFields; the cast only drops the per-event narrowing.
    const own = fields as OwnFields;
    const reasonCode = own.reason_code ?? scope.fields.reason_code;
    if (scope.span.isRecording()) scope.span.addEvent(name, withoutSpanAttributes(own, scope.spanAttributes));
    let line: Line | undefined;
    const event: EmittedEvent = {
      name,
      level: events[name].level,
      own,
      reasonCode,
      scope,
      line() {
        line ??= format(event);
        return line;
      },
    };
    for (const sink of sinks) sink.add(event);
  }

  function format({ name, own, reasonCode, scope }: EmittedEvent): Line {
    return formatLine({
      name,
      own,
      cid: scope.cid,
      reasonCode,
      head: sharedHead(scope),
      changedHead: changed => headOf(scope, { ...scope.fields, ...changed }),
    });
  }

  /** Kept by the scope. A scope sees one bot_state; only the process outlives it. */
  function sharedHead(scope: Scope): LineHead {
    if (scope === processScope && scope.head?.values.bot_state !== instance.botState())
      scope.head = undefined;
    scope.head ??= headOf(scope, scope.fields);
    return scope.head;
  }

  function headOf({ cid, span }: Scope, fields: AmbientFields): LineHead {
    const { traceId, spanId, traceFlags } = span.spanContext();
    return createLineHead({
      cid,
      trace_id: traceId,
      span_id: spanId,
      trace_flags: traceFlags,
      bot_state: instance.botState(),
      instance_id: instance.instance_id,
      ...fields,
    });
  }

  return {
    emit,
    isEnabled,
    warn: (operation, error, reason) =>
      emit('SYSTEM_WARNING', warningFields(scrub, operation, error, reason)),
  };
}

/** What the span does not say itself: in Jaeger its tags stand right above its events. */
function withoutSpanAttributes(own: OwnFields, spanAttributes: AmbientFields): Attributes | undefined {
  let attributes: Attributes | undefined;
  // SAFETY: both have fields of events only, to be looked up by any name.
  const [values, known] = [own, spanAttributes] as Readonly<Record<string, string | number | undefined>>[];
  for (const key in values) {
    const value = values[key];
    if (value === undefined || known?.[key] === value) continue;
    attributes ??= {};
    attributes[key] = value;
  }
  return attributes;
}
