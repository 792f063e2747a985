// Reading JSON that comes from outside.

/** What is not JSON is `undefined`, which every schema refuses like a wrong shape. */
export function jsonOrUndefined(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
