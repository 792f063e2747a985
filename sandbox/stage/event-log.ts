// Owns what the bot has emitted so far: the event lines that it would print, kept by cid in their order. It is the
// bot's log destination and the one place where the demo and the smoke test look events up or wait for one.
// Promises that a wait ends, at the latest at its deadline. Keeps everything: what is played is small and short.
import { z } from 'zod';
import type { LogDestination } from '../../src/otel/logger.ts';

const eventLine = z.looseObject({ ts: z.string(), name: z.string(), cid: z.string(), level: z.string() });

/** One line of the bot's stdout. */
export type EventLine = Readonly<z.infer<typeof eventLine>>;

export interface EventLog extends LogDestination {
  /** The events of one cid, oldest first. */
  chain(cid: string): readonly EventLine[];
  /** The chains of all cids, in the order in which they began. */
  chains(): readonly (readonly EventLine[])[];
  /** Undefined until the bot has received the update. */
  cidOf(updateId: number): string | undefined;
  /** Calls `listener` after each event; returns the way to end that. */
  onEvent(listener: () => void): () => void;
  /** Resolves with true as soon as `isTrue`, which is asked after each event, or with false at the deadline. */
  until(isTrue: () => boolean, deadlineMs: number): Promise<boolean>;
}

/** `echo` gets each line as it was written. */
export function createEventLog(echo: (line: string) => void): EventLog {
  const chains = new Map<string, EventLine[]>();
  const cids = new Map<number, string>();
  const listeners = new Set<() => void>();

  function onEvent(listener: () => void): () => void {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  return {
    write(text) {
      echo(text);
      const line = eventLine.parse(JSON.parse(text));
      const chain = chains.get(line.cid);
      if (chain) chain.push(line);
      else chains.set(line.cid, [line]);
      if (line.name === 'UPDATE_RECEIVED' && typeof line.update_id === 'number')
        cids.set(line.update_id, line.cid);
      for (const listener of [...listeners]) listener();
    },
    chain: cid => chains.get(cid) ?? [],
    chains: () => [...chains.values()],
    cidOf: updateId => cids.get(updateId),
    onEvent,
    until(isTrue, deadlineMs) {
      if (isTrue()) return Promise.resolve(true);
      return new Promise(resolve => {
        const end = (outcome: boolean): void => {
          clearTimeout(timer);
          leave();
          resolve(outcome);
        };
        const timer = setTimeout(() => end(false), deadlineMs);
        const leave = onEvent(() => {
          if (isTrue()) end(true);
        });
      });
    },
  };
}

/** Milliseconds from the first event of the chain to this one. */
export function offsetMs(chain: readonly EventLine[], line: EventLine): number {
  return Date.parse(line.ts) - Date.parse(chain[0]?.ts ?? line.ts);
}
