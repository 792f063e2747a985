// What a turn returns: how its update ended, with all that is to be committed, as data.
import type { Conclusion } from '../inbox/lanes.ts';

export interface TurnConclusion extends Conclusion {
  /** The user waits for a word and has seen none: the silence guard says something then. */
  readonly isSilent?: boolean;
}
