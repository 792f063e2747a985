// A crawl through something whose places offer actions: everything that is offered is done once in each sort of place,
// the nearest first. Knows nothing of bots. What an action leads to may differ from time to time; the map is fixed
// as it goes, and the number of steps is bounded.
import { expect } from 'vitest';

export interface CrawlAction {
  /** Names it among the actions of its place, and among those of all places of its sort. */
  readonly name: string;
  perform(): Promise<void>;
}

export interface CrawlPlace {
  /** The same name is the same place: the same actions lead on in the same way, as far as one can tell. */
  readonly name: string;
  /** Places of one sort differ in what does not matter. */
  readonly sort: string;
  readonly actions: readonly CrawlAction[];
}

export interface Crawl {
  /** `sort › action` of everything that was done. */
  readonly done: ReadonlySet<string>;
  readonly steps: number;
}

/** What is known of a place that is not in sight. */
interface Remembered {
  readonly sort: string;
  readonly offered: readonly string[];
  /** Where each action led the last time. */
  readonly ways: Map<string, string>;
}

/** Ends when nothing that was seen is left to be done; fails when that takes more than `maxSteps`. */
export async function crawl(look: () => Promise<CrawlPlace>, maxSteps: number): Promise<Crawl> {
  const done = new Set<string>();
  const map = new Map<string, Remembered>();
  /** Where an action of a sort of place led the last time: the guess for places in which it was not done yet. */
  const guesses = new Map<string, string>();

  const left = ({ sort, offered }: Remembered): string | undefined =>
    offered.find(name => !done.has(`${sort} › ${name}`));

  function remember({ name, sort, actions }: CrawlPlace): Remembered {
    const offered = actions.map(action => action.name);
    const place = { sort, offered, ways: map.get(name)?.ways ?? new Map<string, string>() };
    map.set(name, place);
    return place;
  }

  /** The first action on the shortest known way to a place where something is left to be done. */
  function towardsWork(from: string): string | undefined {
    const seen = new Set([from]);
    let front = [{ at: from, first: undefined as string | undefined }];
    while (front.length > 0) {
      const next: typeof front = [];
      for (const { at, first } of front) {
        const place = map.get(at);
        if (!place) continue;
        if (first !== undefined && left(place) !== undefined) return first;
        for (const action of place.offered) {
          const to = place.ways.get(action) ?? guesses.get(`${place.sort} › ${action}`);
          if (to === undefined || seen.has(to)) continue;
          seen.add(to);
          next.push({ at: to, first: first ?? action });
        }
      }
      front = next;
    }
    return undefined;
  }

  let here = await look();
  for (let steps = 0; ; steps += 1) {
    const place = remember(here);
    const chosen = left(place) ?? towardsWork(here.name);
    if (chosen === undefined) return { done, steps };
    if (steps === maxSteps) {
      const open = [...map].filter(([, other]) => left(other) !== undefined);
      expect.fail(`${maxSteps} steps are not enough; left: ${open.map(([name]) => name).join('\n')}`);
    }
    done.add(`${place.sort} › ${chosen}`);
    await here.actions.find(({ name }) => name === chosen)?.perform();
    here = await look();
    place.ways.set(chosen, here.name);
    guesses.set(`${place.sort} › ${chosen}`, here.name);
  }
}
