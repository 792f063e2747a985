// What an administrator asks: how is it going, why did this click not work, what did this user do. Reads the journal
// and the state of the service; writes nothing. Where the journal cannot be read it says so in a sentence: that is when
// administrators look, and when users complain.
import { errorType } from '../errors.ts';
import type { Locale } from '../locales.ts';
import type { JournalRow } from '../otel/journal-row.ts';
import { reasons } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { ProcessCount } from '../storage/journal-counts.ts';
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
  /** Whether Telegram brings updates, as /health says it; undefined where this instance is not their source. */
  readonly source: string | undefined;
}

export interface Dashboard {
  /** The newest outcomes of others, refusals and faults first. */
  readonly actions: readonly Action[];
  readonly newestCid: string | undefined;
  /** Of the last hour: how updates and orders ended. */
  readonly faults: number;
  readonly outcomes: number;
  /** What processes warned of in the last hour outside of any update, the most frequent first. */
  readonly warnings: readonly ProcessCount[];
  /** Why the journal could not be read, in a sentence; then the rest is empty. */
  readonly unread: string | undefined;
}

/** What was found of a cid, or why nothing was. */
export interface Looked {
  /** All traces, newest first; of a duplicate also the one that it repeats. */
  readonly judged: readonly Judged[];
  /** Where there are none. */
  readonly nothing: Verdict | undefined;
}

export interface ActionsOfUser {
  /** Newest first. */
  readonly actions: readonly Action[];
  /** Why the journal could not be read, in a sentence; then there are none. */
  readonly unread: string | undefined;
}

export interface AdminDiagnostics {
  /** `except`: whose own actions are left out, the one who asks. */
  dashboard(locale: Locale, except: string): Promise<Dashboard>;
  look(cid: string, locale: Locale): Promise<Looked>;
  /** Why there is nothing to look at. */
  nothing(locale: Locale): Promise<Verdict>;
  /** What one user did last. `userHash` has 16 digits. */
  actionsOf(userHash: string, locale: Locale): Promise<ActionsOfUser>;
}

export interface AdminDiagnosticsOptions {
  readonly journal: JournalReader;
  /** How the service is: `now` as is quickly known, `whole` with all that can be asked. */
  readonly surroundings: Readonly<Record<'now' | 'whole', () => Promise<Surroundings>>>;
  readonly telemetry: Pick<Telemetry, 'warn'>;
  readonly now?: () => Date;
}

const shownActions = 10;
/** Looked through for those that are shown: several outcomes can be of one action, and some are of no user's. */
const readOutcomes = 5 * shownActions;
const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;

export function createAdminDiagnostics(options: AdminDiagnosticsOptions): AdminDiagnostics {
  const { journal, surroundings, telemetry, now = () => new Date() } = options;
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

  /** What a journal that cannot be read leaves to be said. A database that is lost fails the update by itself. */
  async function unlessUnread<T>(
    read: () => Promise<T>,
    otherwise: (why: Verdict) => T,
    locale: Locale,
  ): Promise<T> {
    try {
      return await read();
    } catch (error) {
      telemetry.warn('read the journal', error, 'DB_ERROR');
      return otherwise(verdictOfNothing({ journalError: errorType(error) }, locale));
    }
  }

  async function dashboard(locale: Locale, except: string): Promise<Dashboard> {
    const newest = { since: since(dayMs), limit: readOutcomes, except };
    const lastHour = { since: since(hourMs), until: now() };
    const [trouble, all, counts, warnings] = await Promise.all([
      journal.newestOutcomes({ ...newest, troubleOnly: true }),
      journal.newestOutcomes(newest),
      journal.countReasons(lastHour),
      journal.countOfProcesses(lastHour),
    ]);
    const among = await actionsAmong([...trouble, ...all], locale);
    // The rows of a task bear no user.
    const actions = among.filter(({ userHash }) => userHash !== except);
    const sum = (isCounted: (reason: keyof typeof reasons) => boolean): number =>
      counts.filter(({ reasonCode }) => isCounted(reasonCode)).reduce((total, { count }) => total + count, 0);
    return {
      actions: actions.toSorted(troubleFirst).slice(0, shownActions),
      newestCid: actions[0]?.cid,
      faults: sum(reason => reasons[reason].fault),
      outcomes: sum(() => true),
      warnings,
      unread: undefined,
    };
  }

  async function look(cid: string, locale: Locale): Promise<readonly Judged[]> {
    const found = await judged(cid, locale);
    const originals = [...new Set(found.flatMap(({ chain }) => originalCidOf(chain) ?? []))];
    const repeated = await Promise.all(originals.map(original => judged(original, locale)));
    return [...found, ...repeated.flat()];
  }

  async function nothing(locale: Locale): Promise<Verdict> {
    return verdictOfNothing(await surroundings.whole(), locale);
  }

  async function actionsOf(userHash: string, locale: Locale): Promise<readonly Action[]> {
    const rows = await journal.byUser(userHash, { since: since(7 * dayMs), limit: readOutcomes });
    return (await actionsAmong(rows, locale)).slice(0, shownActions);
  }

  return {
    dashboard: (locale, except) =>
      unlessUnread<Dashboard>(
        () => dashboard(locale, except),
        ({ sentence }) => ({
          actions: [],
          newestCid: undefined,
          faults: 0,
          outcomes: 0,
          warnings: [],
          unread: sentence,
        }),
        locale,
      ),
    async look(cid, locale) {
      const found = await unlessUnread<readonly Judged[] | Verdict>(
        () => look(cid, locale),
        why => why,
        locale,
      );
      if (!('length' in found)) return { judged: [], nothing: found };
      return { judged: found, nothing: found.length > 0 ? undefined : await nothing(locale) };
    },
    nothing,
    actionsOf: (userHash, locale) =>
      unlessUnread<ActionsOfUser>(
        async () => ({ actions: await actionsOf(userHash, locale), unread: undefined }),
        ({ sentence }) => ({ actions: [], unread: sentence }),
        locale,
      ),
  };
}

/** Stable: among equals the newest stays first. */
function troubleFirst(a: Action, b: Action): number {
  return Number(isTrouble(b)) - Number(isTrouble(a));
}
