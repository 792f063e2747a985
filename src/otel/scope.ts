// What surrounds an event: the span it belongs to, and the fields that everything inside that span has in common. The
// context of OpenTelemetry carries it, so nobody hands it on.
import { type Context, context, createContextKey, type Span } from '@opentelemetry/api';
import { cidOf } from './cid.ts';
import type { AmbientFields } from './fields.ts';
import type { LineHead } from './line.ts';
import type { ScopeRecord } from './scope-record.ts';

export interface Scope {
  readonly span: Span;
  readonly cid: string;
  /** Of this scope alone: an inner one begins with a copy. */
  readonly fields: AmbientFields;
  /** Those of the fields that are attributes of this very span, so that its events need not repeat them. */
  readonly spanAttributes: AmbientFields;
  /** The fields as JSON, made when the first line needs them. */
  head: LineHead | undefined;
  /** Undefined where there is no journal, or no span. */
  readonly record: ScopeRecord | undefined;
}

const scopeKey = createContextKey('trt.scope');

/** The innermost scope here; undefined outside of any. */
export function activeScope(): Scope | undefined {
  // SAFETY: enterScope is all that sets this key.
  return context.active().getValue(scopeKey) as Scope | undefined;
}

/** `surrounding` with `scope` as its innermost one. */
export function enterScope(surrounding: Context, scope: Scope): Context {
  return surrounding.setValue(scopeKey, scope);
}

/** For events that share the ids of `span` and no fields. */
export function createBareScope(span: Span): Scope {
  return {
    span,
    cid: cidOf(span.spanContext().traceId),
    fields: {},
    spanAttributes: {},
    head: undefined,
    record: undefined,
  };
}
