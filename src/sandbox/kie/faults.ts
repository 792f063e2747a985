// What can be made to go wrong in the KIE stand-in, and the queue of what shall go wrong next. A fault
// waits for the place it names; a task that is created takes its outcome, callback and file faults along.

type AnswerFault<Place extends string> = {
  readonly at: Place;
  readonly does: 'answer';
  /** The envelope's `code`. */
  readonly code: number;
  readonly text?: string;
  /** 200 by default, as KIE likes to do it. */
  readonly httpStatus?: number;
};

/** The next createTask call. `refuse` and `hang` execute nothing; `lose-answer` and `garble-answer` create the task. */
type CreateFault =
  | AnswerFault<'create'>
  | { readonly at: 'create'; readonly does: 'refuse' | 'hang' | 'lose-answer' | 'garble-answer' };

/** The next recordInfo call. */
type RecordFault =
  | AnswerFault<'record'>
  | { readonly at: 'record'; readonly does: 'refuse' | 'hang' | 'garble-answer' };

/** How the next created task goes on. `never-finish` and `unknown-state` stay where they are for ever. */
export type OutcomeFault =
  | {
      readonly at: 'outcome';
      readonly does: 'fail';
      readonly failCode?: string;
      readonly failMsg?: string;
    }
  | {
      readonly at: 'outcome';
      readonly does: 'reject-content' | 'give-no-urls' | 'never-finish' | 'unknown-state';
    };

/** The callback of the next created task. `early` finishes the task and calls back before createTask answers. */
export type CallbackFault = { readonly at: 'callback'; readonly does: 'never' | 'twice' | 'early' | 'forge' };

/** The result file of the next created task answers 404. */
export type FileFault = { readonly at: 'file'; readonly does: 'miss' };

export type KieFault = CreateFault | RecordFault | OutcomeFault | CallbackFault | FileFault;
type FaultAt<Place extends KieFault['at']> = Extract<KieFault, { at: Place }>;

export interface FaultQueue {
  /** Makes the next `times` occasions of the fault's place go wrong, after those that were added before. */
  add(fault: KieFault, times: number): void;
  /** The fault for this occasion, which is used up. */
  take<Place extends KieFault['at']>(place: Place): FaultAt<Place> | undefined;
}

export function createFaultQueue(): FaultQueue {
  const waiting: { readonly fault: KieFault; times: number }[] = [];
  return {
    add(fault, times) {
      waiting.push({ fault, times });
    },
    take<Place extends KieFault['at']>(place: Place): FaultAt<Place> | undefined {
      const entry = waiting.find(candidate => candidate.fault.at === place && candidate.times > 0);
      if (!entry) return undefined;
      entry.times -= 1;
      if (entry.times === 0) waiting.splice(waiting.indexOf(entry), 1);
      // SAFETY: the entry was chosen by its place, which is what FaultAt selects by.
      return entry.fault as FaultAt<Place>;
    },
  };
}
