// Emits what is refused in any number, such as requests of strangers or updates that find the inbox full: the first of
// a kind at once, then at most one line per second and kind. Outside any trace, because what was refused is no update
// of ours, and a flood must fill neither the traces nor the journal.
import type { FieldsOf } from './event-seam.ts';
import type { ReasonCode } from './reasons.ts';
import { createRepeats, type Repeats } from './repeats.ts';
import type { Telemetry } from './telemetry.ts';

type CountedEvent = 'UPDATE_REFUSED' | 'REQUEST_REFUSED' | 'KIE_CALLBACK' | 'QUEUE_FULL';
type CountedFields<N extends CountedEvent> = Omit<FieldsOf<N>, 'refused_count'> & {
  readonly reason_code: ReasonCode;
  readonly reason_detail?: string | undefined;
};

export interface Refusals extends Pick<Repeats, 'stop'> {
  /**
   * `count` more were refused so; 0 where nothing was there to refuse. Event, reason and detail make the kind, so the
   * detail must be one of few texts. Of the other fields the newest are emitted.
   */
  refused<N extends CountedEvent>(name: N, fields: CountedFields<N>, count?: number): void;
}

const lineEveryMs = 1_000;

export function createRefusals(telemetry: Pick<Telemetry, 'emit' | 'outsideTrace'>): Refusals {
  const repeats = createRepeats(lineEveryMs);
  return {
    refused<N extends CountedEvent>(name: N, fields: CountedFields<N>, count = 1) {
      repeats.add(
        [name, fields.reason_code, fields.reason_detail].join(' '),
        sum =>
          telemetry.outsideTrace(() =>
            // SAFETY: these are the fields of this very event, with the one that was left out.
            telemetry.emit(name, { ...fields, refused_count: sum } as unknown as FieldsOf<N>),
          ),
        count,
      );
    },
    stop: repeats.stop,
  };
}
