// Bodies arrive as text; what is not JSON is `undefined`, which every schema refuses like a wrong shape.

export function parseJsonBody(body: unknown): unknown {
  if (typeof body !== 'string') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
