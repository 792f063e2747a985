// How often each event was told since the start, by its reason: what alerts and dashboards count, in the words of the
// lines. Costs an update two look-ups per event.
import { type EventName, events } from './events.ts';
import type { Domain } from './fields.ts';
import type { ReasonCode } from './reasons.ts';

export interface EventCount {
  readonly name: EventName;
  readonly domain: Domain;
  readonly reasonCode: ReasonCode | undefined;
  readonly count: number;
}

export interface EventCounts {
  add(name: EventName, reasonCode: ReasonCode | undefined): void;
  read(): readonly EventCount[];
}

export function createEventCounts(): EventCounts {
  const counts = new Map<EventName, Map<ReasonCode | undefined, number>>();
  return {
    add(name, reasonCode) {
      let byReason = counts.get(name);
      if (!byReason) {
        byReason = new Map();
        counts.set(name, byReason);
      }
      byReason.set(reasonCode, (byReason.get(reasonCode) ?? 0) + 1);
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
