// What a replay says of itself: what stands in the sandbox as it stood then, and what does not.

export interface Notes {
  readonly restored: string[];
  /** Each may be the reason why the replay ends differently. */
  readonly different: string[];
}

/** What no replay can bring back. */
const neverRestored = [
  'the load of then: other users, the queue, and how fast everything answered',
  'what Telegram and KIE.ai answered then: here stand-ins take everything, and every generation succeeds',
] as const;

export function createNotes(): Notes {
  return {
    restored: ['the update as Telegram sent it, but for the ids and names of its user'],
    different: [...neverRestored],
  };
}
