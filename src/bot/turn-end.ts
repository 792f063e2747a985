// What a turn comes to: how the update ended, with all that is to be committed, as data.
import type { Conclusion } from '../inbox/lanes.ts';

export interface TurnEnd {
  readonly conclusion: Conclusion;
  /** The user waits for a word, and was shown and told nothing: the silence guard says something then. */
  readonly isSilent?: boolean;
}
