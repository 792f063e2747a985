// A bounded number of places for work that waits for others, such as a transfer. One key (a host, a chat) may take only a
// part of them, so that a host that hangs cannot hold up all the others.

export interface Places {
  /** A place that is free now; call the result to leave it. undefined where there is none. */
  enter(key: string): (() => void) | undefined;
  /** The same, but waits for a place, at most so long. The first in the queue whose key may take one gets it. */
  wait(key: string, withinMs: number): Promise<(() => void) | undefined>;
}

export interface PlacesOptions {
  readonly places: number;
  readonly perKey: number;
}

interface Waiting {
  readonly key: string;
  readonly admit: (leave: () => void) => void;
}

export function createPlaces({ places, perKey }: PlacesOptions): Places {
  const taken = new Map<string, number>();
  const queue = new Set<Waiting>();
  let total = 0;

  function enter(key: string): (() => void) | undefined {
    const own = taken.get(key) ?? 0;
    if (total >= places || own >= perKey) return undefined;
    total += 1;
    taken.set(key, own + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      leave(key);
    };
  }

  function leave(key: string): void {
    const own = (taken.get(key) ?? 1) - 1;
    if (own === 0) taken.delete(key);
    else taken.set(key, own);
    total -= 1;
    for (const waiting of queue) {
      const place = enter(waiting.key);
      if (!place) continue;
      queue.delete(waiting);
      waiting.admit(place);
      return;
    }
  }

  return {
    enter,
    wait(key, withinMs) {
      const place = enter(key);
      if (place) return Promise.resolve(place);
      return new Promise(resolve => {
        const timer = setTimeout(() => {
          queue.delete(waiting);
          resolve(undefined);
        }, withinMs);
        const waiting: Waiting = {
          key,
          admit(leavePlace) {
            clearTimeout(timer);
            resolve(leavePlace);
          },
        };
        queue.add(waiting);
      });
    },
  };
}
