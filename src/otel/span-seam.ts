// The seam through which spans leave; `inSpan` is the only code that ends spans. It works without an SDK: trace ids,
// and so the cid, are then made here.
import {
  type Attributes,
  type Context,
  context,
  INVALID_TRACEID,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { errorMessage, errorType } from '../errors.ts';
import { cidOf } from './cid.ts';
import { checkAmbientFields } from './event-check.ts';
import type { EventSeam, InstanceFields } from './event-seam.ts';
import type { AmbientFields } from './fields.ts';
import { extendLineHead } from './line.ts';
import { formatTraceparent, parseTraceparent } from './propagation.ts';
import { shortPseudonym } from './pseudonyms.ts';
import type { Scrubber } from './redaction.ts';
import { activeScope, createBareScope, enterScope, type Scope } from './scope.ts';
import { ScopeRecord } from './scope-record.ts';
import { newSpanContext } from './span-context.ts';
import type { SpanJournal } from './span-journal.ts';

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

export interface SpanSeam<Name extends string> {
  inSpan<T>(name: Name, options: SpanOptions, work: () => Promise<T>): Promise<T>;
  /** Journals how long `work` took, as a span inside the active one; for work whose real span others make, if at all. */
  measure<T>(name: string, work: () => Promise<T>): Promise<T>;
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
}

export interface SpanSeamOptions {
  readonly tracer: Tracer;
  /** What is outside any span belongs to it. */
  readonly processScope: Scope;
  readonly instance: InstanceFields;
  readonly scrub: Scrubber;
  readonly journal: SpanJournal | undefined;
  readonly warn: EventSeam['warn'];
  /** Fields against their contract throw. */
  readonly checked: boolean;
}

/** Jaeger would otherwise draw a link to the parent as FOLLOWS_FROM, in place of the parent's own edge. */
const childOf = { 'opentracing.ref_type': 'child_of' };
/** Of the status of a failed span. */
const errorMessageLength = 300;

export function createSpanSeam(options: SpanSeamOptions): SpanSeam<string> {
  const { tracer, processScope, instance, scrub, journal, warn, checked } = options;
  const currentScope = (): Scope => activeScope() ?? processScope;

  async function inSpan<T>(name: string, spanOptions: SpanOptions, work: () => Promise<T>): Promise<T> {
    const { traceparent, root = false } = spanOptions;
    if (checked && spanOptions.fields) checkAmbientFields(spanOptions.fields);
    const fields = spanOptions.fields && withShortPseudonyms(spanOptions.fields);
    const outer = root || traceparent ? undefined : activeScope();
    const stored = traceparent ? parseTraceparent(traceparent) : undefined;
    const parent = parentContext(root, stored);
    const parentSpan = trace.getSpanContext(parent);
    const { span, cid } = startSpan(name, spanOptions, { fields, stored, parent, parentSpan });
    const scope: Scope = {
      span,
      cid,
      fields: { ...outer?.fields, ...fields },
      spanAttributes: { ...fields },
      head: undefined,
      record:
        journal &&
        new ScopeRecord({
          startedAt: spanOptions.startTime,
          parentSpanId: parentSpan?.spanId,
          userHash: spanOptions.fields?.user_hash ?? outer?.record?.userHash,
          around: outer?.record,
        }),
    };
    try {
      return await context.with(enterScope(trace.setSpan(parent, span), scope), work);
    } catch (error) {
      recordError(scope, error);
      throw error;
    } finally {
      span.end();
      journal?.end(scope, name, spanOptions.before && readBefore(spanOptions.before));
    }
  }

  /** Without an SDK a span has its parent's ids, or none at all: then they are made here. */
  function startSpan(
    name: string,
    { kind = SpanKind.INTERNAL, root = false, attributes, startTime }: SpanOptions,
    { fields, stored, parent, parentSpan }: SpanSurroundings,
  ): { readonly span: Span; readonly cid: string } {
    const span = tracer.startSpan(
      name,
      {
        kind,
        root,
        // All at once: each attribute that is set later costs the SDK as much as all of these.
        attributes: {
          ...attributes,
          ...fields,
          ...(kind === SpanKind.CONSUMER ? { bot_state: instance.botState() } : undefined),
          ...(parentSpan ? { cid: cidOf(parentSpan.traceId) } : undefined),
        },
        ...(startTime === undefined ? undefined : { startTime }),
        ...(stored ? { links: [{ context: stored, attributes: childOf }] } : undefined),
      },
      parent,
    );
    const { traceId, spanId } = span.spanContext();
    if (traceId === INVALID_TRACEID || spanId === parentSpan?.spanId) {
      const own = newSpanContext(traceId === INVALID_TRACEID ? undefined : parentSpan);
      return { span: trace.wrapSpanContext(own), cid: cidOf(own.traceId) };
    }
    const cid = cidOf(traceId);
    if (!parentSpan) span.setAttribute('cid', cid);
    return { span, cid };
  }

  function readBefore(before: () => object): object | undefined {
    try {
      return before();
    } catch (error) {
      warn('tell what was before', error);
      return undefined;
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
    inSpan,
    measure: (name, work) => (journal ? journal.measure(name, work) : work()),
    outsideTrace(work) {
      const scope = createBareScope(trace.wrapSpanContext(newSpanContext()));
      context.with(enterScope(ROOT_CONTEXT, scope), work);
    },
    annotate(fields) {
      if (checked) checkAmbientFields(fields);
      const scope = activeScope();
      if (!scope) return;
      scope.head = scope.head && extendLineHead(scope.head, fields);
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
    cid: () => currentScope().cid,
    traceparent: () => formatTraceparent(currentScope().span.spanContext()),
  };
}

interface SpanSurroundings {
  readonly fields: AmbientFields | undefined;
  readonly stored: SpanContext | undefined;
  readonly parent: Context;
  readonly parentSpan: SpanContext | undefined;
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

function parentContext(root: boolean, stored: SpanContext | undefined): Context {
  if (stored) return trace.setSpanContext(ROOT_CONTEXT, stored);
  return root ? ROOT_CONTEXT : context.active();
}
