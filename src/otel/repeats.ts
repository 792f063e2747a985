// Of what happens again and again, the first is told at once, then at most one per period and kind however many there
// are, each with the number since the last one.
import { context, ROOT_CONTEXT } from '@opentelemetry/api';

export interface Repeats {
  /**
   * `count` more of a kind; 0 where there was nothing to count. `tell` gets how many there were since it was told last;
   * of several that wait only the newest is called.
   */
  add(kind: string, tell: (count: number) => void, count?: number): void;
  /** Tells what is untold. */
  stop(): void;
}

interface Kind {
  /** undefined when there was nothing since it was told last. */
  untold: { readonly tell: (count: number) => void; readonly count: number } | undefined;
  pause: NodeJS.Timeout | undefined;
}

export function createRepeats(everyMs: number): Repeats {
  /** Those that were told less than a period ago. */
  const kinds = new Map<string, Kind>();

  function tell(id: string, kind: Kind): void {
    const { untold } = kind;
    if (!untold) {
      kinds.delete(id);
      return;
    }
    kind.untold = undefined;
    untold.tell(untold.count);
    // What is told later belongs to no work that the first one was met in.
    kind.pause = context.with(ROOT_CONTEXT, () => setTimeout(tell, everyMs, id, kind));
    // A line that is due must not keep the process alive; `stop` tells it.
    kind.pause.unref();
  }

  return {
    add(id, telling, count = 1) {
      const kind = kinds.get(id) ?? { untold: undefined, pause: undefined };
      kinds.set(id, kind);
      kind.untold = { tell: telling, count: (kind.untold?.count ?? 0) + count };
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
