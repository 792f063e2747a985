// How many tasks may be at each stage at once, in one process. A task that finds its stage full gives its job back and
// looks again a little later, so that a supplier or a host that hangs holds up its own stage only.
import { createPlaces, type Places } from './places.ts';

export interface Stages {
  /** Storing input files at the supplier, by chat. Each file lies on the disk meanwhile. */
  readonly files: Places;
  /** Sending orders to the supplier. */
  readonly orders: Places;
  /** Asking the supplier how a task goes. */
  readonly looks: Places;
  /** Sending to users: results by the host of their files, everything else together. */
  readonly deliveries: Places;
}

export interface StageSizes {
  readonly files: number;
  readonly orders: number;
  readonly looks: number;
  readonly deliveries: number;
}

const production: StageSizes = { files: 3, orders: 24, looks: 24, deliveries: 24 };

export function createStages(given: Partial<StageSizes> = {}): Stages {
  const sizes = { ...production, ...given };
  return {
    files: createPlaces({ places: sizes.files, perKey: Math.ceil(sizes.files / 2) }),
    orders: createPlaces({ places: sizes.orders, perKey: sizes.orders }),
    looks: createPlaces({ places: sizes.looks, perKey: sizes.looks }),
    deliveries: createPlaces({ places: sizes.deliveries, perKey: Math.ceil(sizes.deliveries / 3) }),
  };
}
