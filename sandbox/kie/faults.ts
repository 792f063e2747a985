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

/** The next order, in any family. `refuse` and `hang` execute nothing; `lose-answer` and `garble-answer` create the task. */
type CreateFault =
  | AnswerFault<'create'>
  | { readonly at: 'create'; readonly does: 'refuse' | 'hang' | 'lose-answer' | 'garble-answer' };

/** The next question for a record, in any family. */
type RecordFault =
  | AnswerFault<'record'>
  | { readonly at: 'record'; readonly does: 'refuse' | 'hang' | 'garble-answer' };

/** The next upload, of any kind. Nothing is stored. */
type UploadFault = AnswerFault<'upload'> | { readonly at: 'upload'; readonly does: 'refuse' | 'hang' };

/**
 * How the next created task goes on. `never-finish` and `unknown-state` stay where they are for ever;
 * `give-fewer-files` leaves out the last file; `callback-exception` is how Suno names a task that went well but
 * whose callbacks nobody took.
 */
export type OutcomeFault =
  | {
      readonly at: 'outcome';
      readonly does: 'fail';
      readonly failCode?: string;
      readonly failMsg?: string;
    }
  | {
      readonly at: 'outcome';
      readonly does:
        | 'reject-content'
        | 'give-no-urls'
        | 'give-fewer-files'
        | 'never-finish'
        | 'unknown-state'
        | 'callback-exception';
    };

/**
 * The callbacks of the next created task. `early` finishes the task and calls back before the order is answered;
 * `urls-as-text` writes Veo's lists of addresses as text that looks like a list.
 */
export type CallbackFault = {
  readonly at: 'callback';
  readonly does: 'never' | 'twice' | 'early' | 'forge' | 'urls-as-text';
};

/** The result files of the next created task: they answer 404, never answer, or do not end for a long time. */
export type FileFault = {
  readonly at: 'file';
  /** Only this file, counted from 1; all of them without it. */
  readonly number?: number;
} & (
  | { readonly does: 'miss' | 'hang' }
  | {
      readonly does: 'huge';
      /** 64 MiB by default: more than Telegram takes. */
      readonly bytes?: number;
      /** The answer does not state its length beforehand. */
      readonly unannounced?: true;
    }
);

export type KieFault = CreateFault | RecordFault | UploadFault | OutcomeFault | CallbackFault | FileFault;
type FaultAt<Place extends KieFault['at']> = Extract<KieFault, { at: Place }>;

export interface FaultQueue {
  /** Makes the next `times` occasions of the fault's place go wrong, after those that were added before. */
  add(fault: KieFault, times: number): void;
  /** The fault for this occasion, which is used up. */
  take<Place extends KieFault['at']>(place: Place): FaultAt<Place> | undefined;
  /** How many occasions have gone wrong so far. */
  readonly struck: number;
  /** Drops all that wait. */
  clear(): void;
}

export function createFaultQueue(): FaultQueue {
  const waiting: { readonly fault: KieFault; times: number }[] = [];
  let struck = 0;
  return {
    get struck() {
      return struck;
    },
    add(fault, times) {
      waiting.push({ fault, times });
    },
    clear() {
      waiting.length = 0;
    },
    take<Place extends KieFault['at']>(place: Place): FaultAt<Place> | undefined {
      const entry = waiting.find(candidate => candidate.fault.at === place && candidate.times > 0);
      if (!entry) return undefined;
      entry.times -= 1;
      struck += 1;
      if (entry.times === 0) waiting.splice(waiting.indexOf(entry), 1);
      // SAFETY: the entry was chosen by its place, which is what FaultAt selects by.
      return entry.fault as FaultAt<Place>;
    },
  };
}
