// Of what happens again and again, the first is emitted at once, then at most one per period and kind however many there
// are, each with the number since the last one.
import { context, ROOT_CONTEXT } from '@opentelemetry/api';

export interface Repeats {
  /**
   * `count` more of a kind; 0 where there was nothing to count. `emit` gets how many there were since the last time; of
   * several that wait only the newest is called.
   */
  add(kind: string, emit: (count: number) => void, count?: number): void;
  /** Emits what waits. */
  stop(): void;
}

interface Kind {
  /** undefined when there was nothing since the last time. */
  waiting: { readonly emit: (count: number) => void; readonly count: number } | undefined;
  pause: NodeJS.Timeout | undefined;
}

export function createRepeats(everyMs: number): Repeats {
  /** Those that were emitted less than a period ago. */
  const kinds = new Map<string, Kind>();

  function emitWaiting(id: string, kind: Kind): void {
    const { waiting } = kind;
    if (!waiting) {
      kinds.delete(id);
      return;
    }
    kind.waiting = undefined;
    waiting.emit(waiting.count);
    // What is emitted later belongs to no work that the first one was met in.
    kind.pause = context.with(ROOT_CONTEXT, () => setTimeout(emitWaiting, everyMs, id, kind));
    // A line that is due must not keep the process alive; `stop` emits it.
    kind.pause.unref();
  }

  return {
    add(id, emit, count = 1) {
      const kind = kinds.get(id) ?? { waiting: undefined, pause: undefined };
      kinds.set(id, kind);
      kind.waiting = { emit, count: (kind.waiting?.count ?? 0) + count };
      if (!kind.pause) emitWaiting(id, kind);
    },
    stop() {
      for (const [id, kind] of kinds) {
        clearTimeout(kind.pause);
        emitWaiting(id, kind);
        clearTimeout(kind.pause);
      }
    },
  };
}
