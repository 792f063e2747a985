// The one door through which telemetry leaves: spans (span-seam.ts) and events (event-seam.ts), and who gets the events.
// Telemetry never fails the work it describes.
import { trace } from '@opentelemetry/api';
import { createEventSeam, type EventSeam, type InstanceFields } from './event-seam.ts';
import type { EventSink } from './event-sink.ts';
import type { Journal } from './journal.ts';
import type { Logger } from './logger.ts';
import type { Scrubber } from './redaction.ts';
import { createBareScope } from './scope.ts';
import { newSpanContext } from './span-context.ts';
import { createSpanJournal } from './span-journal.ts';
import { createSpanSeam, type SpanSeam } from './span-seam.ts';
import type { SpanName } from './spans.ts';

/** `Name`: what spans may be called; tests of this seam itself take any. */
export interface Telemetry<Name extends string = SpanName> extends SpanSeam<Name>, EventSeam {
  scrub: Scrubber;
}

export interface TelemetryOptions {
  readonly logger: Pick<Logger, 'add' | 'enabled'>;
  readonly instance: InstanceFields;
  readonly scrub: Scrubber;
  readonly serviceVersion: string;
  /** Get every event beside the logger and the journal. */
  readonly sinks?: readonly EventSink[];
  /** Gets a row for every span that ends, with the lines written inside it, and for every event outside of one. */
  readonly journal?: Pick<Journal, 'add'> | undefined;
  /** Events and fields against their contract throw, as a defect should in development and test; false by default. */
  readonly checked?: boolean;
}

export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { logger, scrub, instance, sinks = [], checked = false } = options;
  const journal = options.journal && createSpanJournal(options.journal);
  // Events outside any update or job (start, stop, background trouble) share this trace id.
  const processScope = createBareScope(trace.wrapSpanContext(newSpanContext()));
  const events = createEventSeam({
    sinks: [...sinks, logger, ...(journal ? [journal] : [])],
    instance,
    scrub,
    processScope,
    isDebugEnabled: () => logger.enabled('DEBUG'),
    checked,
  });
  const spans = createSpanSeam({
    tracer: trace.getTracer('trt', options.serviceVersion),
    processScope,
    instance,
    scrub,
    journal,
    warn: events.warn,
    checked,
  });
  return { ...spans, ...events, scrub };
}
