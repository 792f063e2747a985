// Whoever could not work leaves it to another instance, also to one that has just lost its own connection, and for longer
// each time in a row: a machine on which nothing gets done in time is not helped by beginning again and again.
const firstMs = 3_000;
const longestMs = 24_000;

/** `failures`: how many tenures in a row were given up without proof, the last one included. */
export function resignPauseMs(failures: number): number {
  return Math.min(firstMs * 2 ** Math.max(0, failures - 1), longestMs);
}
