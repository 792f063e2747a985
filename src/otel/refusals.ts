// Tells of what is refused in any number, such as requests of strangers or updates that find the inbox full: the first
// of a kind at once, then at most one line per second and kind however many there are, each line with the number
// refused since the last one. Outside any trace, because what was refused is no update of ours, and a flood must
// fill neither the traces nor the journal.
import type { ReasonCode } from './reasons.ts';
import type { FieldsOf, Telemetry } from './telemetry.ts';

type CountedEvent = 'UPDATE_REFUSED' | 'REQUEST_REFUSED' | 'KIE_CALLBACK' | 'QUEUE_FULL';
type CountedFields<N extends CountedEvent> = Omit<FieldsOf<N>, 'refused_count'> & {
  readonly reason_code: ReasonCode;
  readonly reason_detail?: string | undefined;
};

export interface Refusals {
  /**
   * `count` more were refused so; 0 where nothing was there to refuse. Event, reason and detail make the kind, so the
   * detail must be one of few texts. Of the other fields the newest are told.
   */
  refused<N extends CountedEvent>(name: N, fields: CountedFields<N>, count?: number): void;
  /** Tells what is untold. */
  stop(): void;
}

interface Kind {
  /** undefined when nothing was refused since the last line. */
  untold: { readonly emit: (count: number) => void; readonly count: number } | undefined;
  pause: NodeJS.Timeout | undefined;
}

const lineEveryMs = 1_000;

export function createRefusals(telemetry: Pick<Telemetry, 'emit' | 'outsideTrace'>): Refusals {
  /** Those that were told less than a second ago. */
  const kinds = new Map<string, Kind>();

  function tell(id: string, kind: Kind): void {
    const { untold } = kind;
    if (!untold) {
      kinds.delete(id);
      return;
    }
    kind.untold = undefined;
    telemetry.outsideTrace(() => untold.emit(untold.count));
    kind.pause = setTimeout(tell, lineEveryMs, id, kind);
    // A line that is due must not keep the process alive; `stop` tells it.
    kind.pause.unref();
  }

  return {
    refused<N extends CountedEvent>(name: N, fields: CountedFields<N>, count = 1) {
      const id = [name, fields.reason_code, fields.reason_detail].join(' ');
      const kind = kinds.get(id) ?? { untold: undefined, pause: undefined };
      kinds.set(id, kind);
      kind.untold = {
        // SAFETY: these are the fields of this very event, with the one that was left out.
        emit: sum => telemetry.emit(name, { ...fields, refused_count: sum } as unknown as FieldsOf<N>),
        count: (kind.untold?.count ?? 0) + count,
      };
      if (!kind.pause) tell(id, kind);
    },
    stop() {
      for (const [id, kind] of kinds) {
        clearTimeout(kind.pause);
        tell(id, kind);
        clearTimeout(kind.pause);
      }
    },
  };
}
