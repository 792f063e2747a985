// How often each event happened since the start, by its reason: what alerts and dashboards count, in the words of the
// lines. One line may stand for many (otel/refusals.ts). Costs an update two look-ups per event.
import type { EventSink } from './event-sink.ts';
import { type EventName, events } from './events.ts';
import type { Domain } from './fields.ts';
import type { ReasonCode } from './reasons.ts';

export interface EventCount {
  readonly name: EventName;
  readonly domain: Domain;
  readonly reasonCode: ReasonCode | undefined;
  readonly count: number;
}

export interface EventCounts extends EventSink {
  read(): readonly EventCount[];
}

export function createEventCounts(): EventCounts {
  const counts = new Map<EventName, Map<ReasonCode | undefined, number>>();
  return {
    add({ name, reasonCode, own }) {
      let byReason = counts.get(name);
      if (!byReason) {
        byReason = new Map();
        counts.set(name, byReason);
      }
      // A poller that does not ask has refused nobody, and is an event all the same.
      const times = own.refused_count || 1;
      byReason.set(reasonCode, (byReason.get(reasonCode) ?? 0) + times);
    },
    read: () =>
      [...counts].flatMap(([name, byReason]) =>
        [...byReason].map(([reasonCode, count]) => ({
          name,
          domain: events[name].domain,
          reasonCode,
          count,
        })),
      ),
  };
}
