// The places for results that are sent by their bytes. There are few, because each file lies on the disk meanwhile, and
// fewer for one host, so that a slow host does not hold up the results of the others.
import { createPlaces } from '../pipeline/places.ts';
import type { SendFailure } from '../pipeline/sender.ts';

export interface Uploads {
  /** Runs the work in a place; resolves with undefined when no place came free in time. `url` is that of the first file. */
  run<T>(url: string | undefined, work: () => Promise<T>): Promise<T | undefined>;
}

const uploadsAtOnce = 4;
const uploadsOfOneHost = 2;
/** With the transfer, well below the age at which a claim on a delivery is taken for that of a dead process. */
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

/** Nothing was tried, so this does not count as an attempt. */
export const noPlace: SendFailure = {
  ok: false,
  retry: true,
  retryAfterMs: retryMs,
  unreachable: false,
  reason: 'DOWNSTREAM_TIMEOUT',
  detail: 'other uploads take too long',
  error: undefined,
};
