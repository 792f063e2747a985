// The places for results that are sent by their bytes: a few at once, because each lies on the disk meanwhile, and fewer
// of one host, so that one that is slow does not keep the results of others.

import type { Undelivered } from '../pipeline/deliverer.ts';
import { createPlaces } from '../pipeline/places.ts';

export interface Uploads {
  /** Runs the work in a place; undefined when none came free in time. `url` is that of the (first) file. */
  run<T>(url: string | undefined, work: () => Promise<T>): Promise<T | undefined>;
}

const uploadsAtOnce = 4;
const uploadsOfOneHost = 2;
/** Together with the transfer itself well below the age at which a claim on a delivery counts as that of a dead process. */
const patienceMs = 15_000;
const retryMs = 10_000;

export function createUploads(): Uploads {
  const places = createPlaces({ places: uploadsAtOnce, perKey: uploadsOfOneHost });
  return {
    async run(url, work) {
      const leave = await places.wait(URL.parse(url ?? '')?.host ?? '', patienceMs);
      if (!leave) return undefined;
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}

/** Nothing was tried, so it counts as no attempt. */
export const noPlace: Undelivered = {
  ok: false,
  retry: true,
  retryAfterMs: retryMs,
  unreachable: false,
  reason: 'DOWNSTREAM_TIMEOUT',
  detail: 'other uploads take too long',
  error: undefined,
};
