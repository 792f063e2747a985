// The journal as a sink of events and of spans: the lines of a span are gathered in its record and become one row when
// it ends; an event outside of any span, or after its end, is a row of its own. Spans that have nothing but their times
// go into the row of the span around them.
import { trace } from '@opentelemetry/api';
import type { EventSink } from './event-sink.ts';
import type { Journal } from './journal.ts';
import { activeScope, createBareScope, type Scope } from './scope.ts';
import { ScopeRecord } from './scope-record.ts';
import { newSpanContext } from './span-context.ts';

export interface SpanJournal extends EventSink {
  /** For the scope of a span that ends: it gets its row. `before`: what the work met, if that is kept. */
  end(scope: Scope, name: string, before?: object): void;
  /** Journals how long `work` took, as a span inside the active one. */
  measure<T>(name: string, work: () => Promise<T>): Promise<T>;
}

export function createSpanJournal(journal: Pick<Journal, 'add'>): SpanJournal {
  function end(scope: Scope, name: string, before?: object): void {
    const { record } = scope;
    if (!record) return;
    const identity = identityOf(scope);
    record.ended = true;
    if (!before && record.around?.absorbs(record, identity.spanId, name)) return;
    journal.add(record.entry({ ...identity, name, fields: scope.fields, before }));
  }

  return {
    end,
    add({ name, own, scope, line }) {
      if (scope.record && !scope.record.ended) {
        scope.record.add(name, line(), own);
        return;
      }
      const record = new ScopeRecord({});
      record.add(name, line(), own);
      journal.add(record.entry({ ...identityOf(scope), name: undefined, fields: {}, before: undefined }));
    },
    async measure(name, work) {
      const surrounding = activeScope();
      if (!surrounding?.record) return work();
      const parent = surrounding.span.spanContext();
      const record = new ScopeRecord({ parentSpanId: parent.spanId, around: surrounding.record });
      const scope: Scope = {
        ...createBareScope(trace.wrapSpanContext(newSpanContext(parent))),
        record,
      };
      try {
        return await work();
      } catch (error) {
        record.failed = true;
        throw error;
      } finally {
        end(scope, name);
      }
    },
  };
}

function identityOf({ span, cid }: Scope): {
  readonly cid: string;
  readonly traceId: string;
  readonly spanId: string;
} {
  const { traceId, spanId } = span.spanContext();
  return { cid, traceId, spanId };
}
