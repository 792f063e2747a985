// What an administrator asks: how is it going, why did this click not work, what did this user do. Reads the journal
// and the state of the service; writes nothing.
import type { JournalRow } from '../otel/journal-row.ts';
import { type Locale, reasons } from '../otel/reasons.ts';
import type { JournalReader } from '../storage/journal-store.ts';
import { type Action, actionsOfRows, isTrouble } from './action.ts';
import type { Chain } from './chain.ts';
import { createJournalChains } from './journal-chains.ts';
import type { Surroundings } from './surroundings.ts';
import { originalCidOf, type Verdict, verdictOf, verdictOfNothing } from './verdict.ts';

export interface Judged {
  readonly chain: Chain;
  readonly verdict: Verdict;
}

/** How the service is at this moment, as the instance that is asked sees it. */
export interface ServiceStatus {
  readonly mode: string;
  readonly state: string;
  readonly epoch: number;
  /** Of the holder of the lock. */
  readonly heartbeatAgeMs: number | undefined;
  readonly queueDepth: number;
}

export interface Dashboard {
  /** The newest outcomes of others, refusals and faults first. */
  readonly actions: readonly Action[];
  readonly newestCid: string | undefined;
  /** Of the last hour. */
  readonly faults: number;
  readonly outcomes: number;
}

export interface Desk {
  /** `except`: whose own actions are left out, the one who asks. */
  dashboard(locale: Locale, except: string): Promise<Dashboard>;
  /** All traces of a cid, newest first; of a duplicate also the one that it repeats. Never empty: then `nothing`. */
  look(cid: string, locale: Locale): Promise<readonly Judged[]>;
  /** Why there is nothing to look at. */
  nothing(locale: Locale): Promise<Verdict>;
  /** What one user did last, newest first. `userHash` has 16 digits. */
  actionsOf(userHash: string, locale: Locale): Promise<readonly Action[]>;
}

export interface DeskOptions {
  readonly journal: JournalReader;
  /** How the service is: `now` as is quickly known, `whole` with all that can be asked. */
  readonly surroundings: Readonly<Record<'now' | 'whole', () => Promise<Surroundings>>>;
  readonly now?: () => Date;
}

const shownActions = 10;
/** Looked through for those that are shown: several outcomes can be of one action, and some are of no user's. */
const readOutcomes = 5 * shownActions;
const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;

export function createDesk({ journal, surroundings, now = () => new Date() }: DeskOptions): Desk {
  const source = createJournalChains(journal);
  const since = (milliseconds: number): Date => new Date(now().getTime() - milliseconds);

  async function judged(cid: string, locale: Locale): Promise<Judged[]> {
    const chains = await source.byCid(cid);
    if (chains.length === 0) return [];
    const now = await surroundings.now();
    return Promise.all(
      chains.map(async chain => {
        const around = { ...now, processEvents: await source.processEvents(chain) };
        return { chain, verdict: verdictOf(chain, locale, around) };
      }),
    );
  }

  /** Whole: also with what became of an order after the tap. */
  async function actionsAmong(rows: readonly JournalRow[], locale: Locale): Promise<Action[]> {
    const traces = new Set(rows.map(({ traceId }) => traceId));
    return actionsOfRows(await journal.linesOf([...traces]), locale);
  }

  return {
    async dashboard(locale, except) {
      const newest = { since: since(dayMs), limit: readOutcomes, except };
      const [trouble, all, counts] = await Promise.all([
        journal.newestOutcomes({ ...newest, troubleOnly: true }),
        journal.newestOutcomes(newest),
        journal.countReasons({ since: since(hourMs), until: now() }),
      ]);
      const among = await actionsAmong([...trouble, ...all], locale);
      // The rows of a task bear no user.
      const actions = among.filter(({ userHash }) => userHash !== except);
      const sum = (isCounted: (reason: keyof typeof reasons) => boolean): number =>
        counts
          .filter(({ reasonCode }) => isCounted(reasonCode))
          .reduce((total, { count }) => total + count, 0);
      return {
        actions: actions.toSorted(troubleFirst).slice(0, shownActions),
        newestCid: actions[0]?.cid,
        faults: sum(reason => reasons[reason].fault),
        outcomes: sum(() => true),
      };
    },
    async look(cid, locale) {
      const found = await judged(cid, locale);
      const originals = [...new Set(found.flatMap(({ chain }) => originalCidOf(chain) ?? []))];
      const repeated = await Promise.all(originals.map(original => judged(original, locale)));
      return [...found, ...repeated.flat()];
    },
    nothing: async locale => verdictOfNothing(await surroundings.whole(), locale),
    async actionsOf(userHash, locale) {
      const rows = await journal.byUser(userHash, { since: since(7 * dayMs), limit: readOutcomes });
      return (await actionsAmong(rows, locale)).slice(0, shownActions);
    },
  };
}

/** Stable: among equals the newest stays first. */
function troubleFirst(a: Action, b: Action): number {
  return Number(isTrouble(b)) - Number(isTrouble(a));
}
