// The only seam through which telemetry leaves. `emit` makes one event a span event and one line on
// stdout with the same name and fields; `inSpan` is the only code that ends spans. Both work without an
// SDK: trace ids, and so the cid, are then made here. Telemetry never fails the work it describes.
import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  INVALID_TRACEID,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { errorMessage, errorType } from '../errors.ts';
import { cidOf } from './cid.ts';
import { checkAmbientFields, checkEvent } from './event-check.ts';
import type { EventCounts } from './event-counts.ts';
import { type EventName, events } from './events.ts';
import type { AmbientFields, BotState, EventFields } from './fields.ts';
import type { Journal } from './journal.ts';
import { createJsonFields, extendJsonFields, type JsonFields, type Logger } from './logger.ts';
import { formatTraceparent, parseTraceparent } from './propagation.ts';
import { shortPseudonym } from './pseudonyms.ts';
import { randomId } from './random-ids.ts';
import type { ReasonCode } from './reasons.ts';
import type { Scrubber } from './redaction.ts';
import { ScopeRecord } from './scope-record.ts';
import type { SpanName } from './spans.ts';
import { warningFields } from './warning.ts';

type Required<N extends EventName> = (typeof events)[N]['required'][number];
type Optional<N extends EventName> = (typeof events)[N]['optional'][number];

/** What `emit(name, …)` must and may be given; everything else does not compile. */
export type FieldsOf<N extends EventName> = Pick<EventFields, Required<N>> & {
  readonly [F in Exclude<Optional<N>, Required<N>>]?: EventFields[F] | undefined;
};

export interface SpanOptions {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  /** Starts a new trace even inside another one. */
  readonly root?: boolean;
  /** A traceparent this program stored: the span joins that trace, and links to its creator. */
  readonly traceparent?: string;
  /** Epoch milliseconds, when the work began before its span could be named. */
  readonly startTime?: number;
  /** Attributes of the span and ambient fields of every event inside; merged over those of the surrounding span. */
  readonly fields?: AmbientFields;
  /** What the work meets, for the journal alone: asked for when it has ended, so it must not have changed by then. */
  readonly before?: () => object;
}

export interface InstanceFields {
  readonly instance_id: string;
  botState(): BotState;
}

/** `Name`: what spans may be called; tests of this seam itself take any. */
export interface Telemetry<Name extends string = SpanName> {
  emit<N extends EventName>(name: N, fields: FieldsOf<N>): void;
  /** False when the event would leave no trace, so that what it costs to tell it can be saved. */
  isEnabled(name: EventName): boolean;
  inSpan<T>(name: Name, options: SpanOptions, work: () => Promise<T>): Promise<T>;
  /** Journals how long `work` took, as a span inside the active one; for work whose real span others make, if at all. */
  measure<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Emits SYSTEM_WARNING: `operation` failed with `error`, outside of what an update could tell about it. */
  warn(operation: string, error: unknown, reason?: ReasonCode): void;
  /** Runs `work` under a fresh cid without a span, for what strangers can cause in any number. */
  outsideTrace(work: () => void): void;
  /** Adds ambient fields to the events that follow in the innermost `inSpan` and sets them on its span. */
  annotate(fields: AmbientFields): void;
  /** Marks the innermost span as failed, for an error that was handled and not thrown on. */
  recordError(error: unknown): void;
  /** Span attributes that are no event fields (semantic conventions of a client call). */
  setAttributes(attributes: Attributes): void;
  /** The cid of the active trace, or of the process where there is none. */
  cid(): string;
  /** For storing beside work that continues this trace later. */
  traceparent(): string;
  scrub: Scrubber;
}

export interface TelemetryOptions {
  readonly logger: Logger;
  readonly instance: InstanceFields;
  readonly scrub: Scrubber;
  readonly serviceVersion: string;
  /** Counts every event that is told. */
  readonly counts?: Pick<EventCounts, 'add'> | undefined;
  /** Gets every span that ends, with the lines written inside it, and every event outside of one. */
  readonly journal?: Pick<Journal, 'add'> | undefined;
  /** Events and fields against their contract throw, as a defect should in development and test; false by default. */
  readonly checked?: boolean;
}

/** Jaeger would otherwise draw a link to the parent as FOLLOWS_FROM, in place of the parent's own edge. */
const childOf = { 'opentracing.ref_type': 'child_of' };

interface Scope {
  readonly span: Span;
  /** Of this scope alone: an inner one begins with a copy. */
  readonly fields: AmbientFields;
  /** Those of the fields that are attributes of this very span, so that its events need not repeat them. */
  readonly spanAttributes: AmbientFields;
  /** The fields as JSON, made when the first line needs them. */
  head: JsonFields | undefined;
  /** Undefined where there is no journal, or no span. */
  readonly record: ScopeRecord | undefined;
  /** Of the span around this one, in the same program. */
  readonly around: ScopeRecord | undefined;
}

const scopeKey = createContextKey('trt.scope');

/** Fields that become attributes of the span they are annotated on, and nothing with a high volume. */
const errorMessageLength = 300;

export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { logger, scrub, instance, counts, journal, checked = false } = options;
  const tracer: Tracer = trace.getTracer('trt', options.serviceVersion);
  // Events outside any update or job (start, stop, background trouble) share this trace id.
  const processSpan = trace.wrapSpanContext(newSpanContext());

  let processHead = headOf(processSpan, {});

  /** The process outlives the state that its lines tell. */
  function currentProcessHead(): JsonFields {
    if (processHead.values.bot_state !== instance.botState()) processHead = headOf(processSpan, {});
    return processHead;
  }

  const activeScope = (): Scope | undefined => context.active().getValue(scopeKey) as Scope | undefined;
  const activeSpanContext = (): SpanContext => (activeScope()?.span ?? processSpan).spanContext();

  /** Detail is told where it was asked for; all else is at least a span event. */
  function isEnabled(name: EventName): boolean {
    const { level } = events[name];
    return level !== 'DEBUG' || logger.enabled(level);
  }

  function emit<N extends EventName>(name: N, fields: FieldsOf<N>): void {
    if (checked) checkEvent(name, fields);
    if (!isEnabled(name)) return;
    const definition = events[name];
    const scope = activeScope();
    const span = scope?.span ?? processSpan;
    // SAFETY: FieldsOf<N> is a subset of EventFields; the cast only drops the per-event narrowing.
    const own = fields as EventValues;
    const { reason_code: ownReason, refused_count: times }: Partial<EventFields> = own;
    const reasonCode = ownReason ?? scope?.fields.reason_code;
    // A poller that does not ask has refused nobody.
    counts?.add(name, reasonCode, times || 1);
    if (span.isRecording()) span.addEvent(name, withoutSpanAttributes(own, scope?.spanAttributes));
    if (!journal && !logger.enabled(definition.level)) return;
    const shared = scope ? sharedHead(scope) : currentProcessHead();
    const line = lineOf(`,"name":"${name}","domain":"${definition.domain}"`, own, shared.values);
    const head = line.changed && scope ? headOf(scope.span, { ...scope.fields, ...line.changed }) : shared;
    const cid = cidOf(span.spanContext().traceId);
    const reason = reasonCode === undefined ? '' : ` reason_code=${reasonCode}`;
    const message = `${name} cid=${cid} domain=${definition.domain}${reason}`;
    const ts = logger.write(
      definition.level,
      head,
      { text: line.text, values: () => ({ name, domain: definition.domain, ...own }) },
      message,
    );
    if (!journal) return;
    const start = `{"level":"${definition.level}"${ts}`;
    const rest = `${line.text},"msg":"${message}"}`;
    if (scope?.record && !scope.record.ended) {
      scope.record.add(name, start, head.text, rest, own);
      return;
    }
    // Outside of any span, or after its end.
    const record = new ScopeRecord(undefined, undefined, undefined);
    record.add(name, start, head.text, rest, own);
    journal.add(record.entry({ ...idsOf(span), name: undefined, fields: {}, before: undefined }));
  }

  function journalScope(name: string, { span, record, fields, around }: Scope, before?: () => object): void {
    if (!journal || !record) return;
    record.ended = true;
    if (!before && around?.absorbs(record, span.spanContext().spanId, name)) return;
    journal.add(record.entry({ ...idsOf(span), name, fields, before: before && readBefore(before) }));
  }

  function sharedHead(scope: Scope): JsonFields {
    scope.head ??= headOf(scope.span, scope.fields);
    return scope.head;
  }

  /** What every line of a scope has in common. */
  function headOf(span: Span, fields: AmbientFields): JsonFields {
    const { traceId, spanId, traceFlags } = span.spanContext();
    return createJsonFields({
      cid: cidOf(traceId),
      trace_id: traceId,
      span_id: spanId,
      trace_flags: traceFlags,
      bot_state: instance.botState(),
      instance_id: instance.instance_id,
      ...fields,
    });
  }

  async function inSpan<T>(name: string, spanOptions: SpanOptions, work: () => Promise<T>): Promise<T> {
    if (checked && spanOptions.fields) checkAmbientFields(spanOptions.fields);
    const fields = spanOptions.fields && withShortPseudonyms(spanOptions.fields);
    const outer = spanOptions.root || spanOptions.traceparent ? undefined : activeScope();
    const stored = spanOptions.traceparent ? parseTraceparent(spanOptions.traceparent) : undefined;
    const parent = parentContext(spanOptions, stored);
    const kind = spanOptions.kind ?? SpanKind.INTERNAL;
    const parentSpan = trace.getSpanContext(parent);
    let span = tracer.startSpan(
      name,
      {
        kind,
        root: spanOptions.root ?? false,
        // All at once: each attribute that is set later costs the SDK as much as all of these.
        attributes: {
          ...spanOptions.attributes,
          ...fields,
          ...(kind === SpanKind.CONSUMER ? { bot_state: instance.botState() } : undefined),
          ...(parentSpan ? { cid: cidOf(parentSpan.traceId) } : undefined),
        },
        ...(spanOptions.startTime === undefined ? undefined : { startTime: spanOptions.startTime }),
        ...(stored ? { links: [{ context: stored, attributes: childOf }] } : undefined),
      },
      parent,
    );
    // Without an SDK a span has its parent's ids, or none at all: then they are made here.
    const { traceId, spanId } = span.spanContext();
    if (traceId === INVALID_TRACEID) span = trace.wrapSpanContext(newSpanContext());
    else if (spanId === parentSpan?.spanId) span = trace.wrapSpanContext(newSpanContext(parentSpan));
    else if (!parentSpan) span.setAttribute('cid', cidOf(traceId));
    const scope: Scope = {
      span,
      fields: { ...outer?.fields, ...fields },
      spanAttributes: { ...fields },
      head: undefined,
      record:
        journal &&
        new ScopeRecord(
          spanOptions.startTime,
          parentSpan?.spanId,
          spanOptions.fields?.user_hash ?? outer?.record?.userHash,
        ),
      around: outer?.record,
    };
    const active = trace.setSpan(parent, span).setValue(scopeKey, scope);
    try {
      return await context.with(active, work);
    } catch (error) {
      recordError(scope, error);
      throw error;
    } finally {
      span.end();
      journalScope(name, scope, spanOptions.before);
    }
  }

  function readBefore(before: () => object): object | undefined {
    try {
      return before();
    } catch (error) {
      warn('tell what was before', error);
      return undefined;
    }
  }

  function warn(operation: string, error: unknown, reason?: ReasonCode): void {
    emit('SYSTEM_WARNING', warningFields(scrub, operation, error, reason));
  }

  async function measure<T>(name: string, work: () => Promise<T>): Promise<T> {
    const surrounding = activeScope();
    if (!journal || !surrounding?.record) return work();
    const parent = surrounding.span.spanContext();
    const scope: Scope = {
      span: trace.wrapSpanContext(newSpanContext(parent)),
      fields: {},
      spanAttributes: {},
      head: undefined,
      record: new ScopeRecord(undefined, parent.spanId, undefined),
      around: surrounding.record,
    };
    try {
      return await work();
    } catch (error) {
      if (scope.record) scope.record.failed = true;
      throw error;
    } finally {
      journalScope(name, scope);
    }
  }

  function recordError({ span, record }: Scope, error: unknown): void {
    if (record) record.failed = true;
    const type = errorType(error);
    span.setAttribute('error.type', type);
    const message = scrub(errorMessage(error)).slice(0, errorMessageLength);
    span.setStatus({ code: SpanStatusCode.ERROR, message });
    span.addEvent('exception', {
      'exception.type': type,
      'exception.message': message,
      ...(error instanceof Error && error.stack ? { 'exception.stacktrace': scrub(error.stack) } : {}),
    });
  }

  return {
    emit,
    isEnabled,
    inSpan,
    measure,
    scrub,
    warn,
    outsideTrace(work) {
      const scope: Scope = {
        span: trace.wrapSpanContext(newSpanContext()),
        fields: {},
        spanAttributes: {},
        head: undefined,
        record: undefined,
        around: undefined,
      };
      context.with(ROOT_CONTEXT.setValue(scopeKey, scope), work);
    },
    annotate(fields) {
      if (checked) checkAmbientFields(fields);
      const scope = activeScope();
      if (!scope) return;
      scope.head = scope.head && extendJsonFields(scope.head, fields);
      Object.assign(scope.fields, fields);
      Object.assign(scope.spanAttributes, fields);
      scope.span.setAttributes(fields);
    },
    recordError(error) {
      const scope = activeScope();
      if (scope) recordError(scope, error);
    },
    setAttributes(attributes) {
      activeScope()?.span.setAttributes(attributes);
    },
    cid: () => cidOf(activeSpanContext().traceId),
    traceparent: () => formatTraceparent(activeSpanContext()),
  };
}

function idsOf(span: Span): { readonly cid: string; readonly traceId: string; readonly spanId: string } {
  const { traceId, spanId } = span.spanContext();
  return { cid: cidOf(traceId), traceId, spanId };
}

type EventValues = Readonly<Record<string, string | number | undefined>>;

/** What the span does not say itself: in Jaeger its tags stand right above its events. */
function withoutSpanAttributes(
  own: EventValues,
  attributesOfSpan: AmbientFields | undefined,
): Attributes | undefined {
  let attributes: Attributes | undefined;
  for (const key in own) {
    const value = own[key];
    if (value === undefined || (attributesOfSpan as EventValues | undefined)?.[key] === value) continue;
    attributes ??= {};
    attributes[key] = value;
  }
  return attributes;
}

/**
 * `start` and the event's own fields as JSON, without those the head has with the same value. `changed`: those that
 * the head has with another value, so it must be made anew, because a name must not stand in a line twice.
 */
function lineOf(
  start: string,
  own: EventValues,
  shared: Readonly<Record<string, unknown>>,
): { readonly text: string; readonly changed: Record<string, unknown> | undefined } {
  let text = start;
  let changed: Record<string, unknown> | undefined;
  for (const key in own) {
    const value = own[key];
    if (value === undefined) continue;
    if (shared[key] === undefined) text += `,"${key}":${JSON.stringify(value)}`;
    else if (shared[key] !== value) changed = { ...changed, [key]: value };
  }
  return { text, changed };
}

/** Lines and spans have the first digits; the journal's own column has all of them. */
function withShortPseudonyms(fields: AmbientFields): AmbientFields {
  const { user_hash: user, chat_hash: chat } = fields;
  if (user === undefined && chat === undefined) return fields;
  return {
    ...fields,
    ...(user === undefined ? {} : { user_hash: shortPseudonym(user) }),
    ...(chat === undefined ? {} : { chat_hash: shortPseudonym(chat) }),
  };
}

function parentContext(options: SpanOptions, stored: SpanContext | undefined): Context {
  if (stored) return trace.setSpanContext(ROOT_CONTEXT, stored);
  return options.root ? ROOT_CONTEXT : context.active();
}

/** Of a new trace, or of the parent's. */
function newSpanContext(parent?: SpanContext): SpanContext {
  return {
    traceId: parent?.traceId ?? randomId(16),
    spanId: randomId(8),
    traceFlags: parent?.traceFlags ?? TraceFlags.NONE,
  };
}
