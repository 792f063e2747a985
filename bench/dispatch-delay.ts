// How long stored updates wait for a worker, as the bot's own lines show it: from QUEUE_ENQUEUE to QUEUE_PICK of the
// same cid. Lines bear whole milliseconds.
import { readFile } from 'node:fs/promises';

/** Of the taps that were stored at or after `sinceMs` (epoch), in milliseconds. `output` is the bot's stdout. */
export async function dispatchDelays(output: string, sinceMs: number): Promise<number[]> {
  const storedAt = new Map<string, number>();
  const delays: number[] = [];
  for (const text of (await readFile(output, 'utf8')).split('\n')) {
    if (!/"name":"QUEUE_(ENQUEUE|PICK)"/.test(text)) continue;
    const { name, cid, ts, event_type } = JSON.parse(text);
    if (event_type !== 'callback_query') continue;
    const at = Date.parse(ts);
    if (name === 'QUEUE_ENQUEUE') {
      if (at >= sinceMs) storedAt.set(cid, at);
      continue;
    }
    const stored = storedAt.get(cid);
    if (stored !== undefined) delays.push(at - stored);
  }
  return delays;
}
