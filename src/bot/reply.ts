// What the user gets for an update, before anything is sent: the frame makes it from an Outcome, and conclude.ts sends it.
import type { Conclusion } from '../inbox/lanes.ts';
import type { Noop, Show } from '../ui/outcome.ts';
import type { ScreenId } from '../ui/screens.ts';

export interface Reply {
  /** How the update ends if Telegram takes the reply. */
  readonly conclusion: Pick<Conclusion, 'result' | 'reason' | 'error' | 'detail' | 'because'>;
  /** What to show; nothing leaves the screen as it is. */
  readonly show?: Show<ScreenId> | Noop | undefined;
  /** For a tap the text of its answer; for a message a line above the screen, or alone. */
  readonly notice?: string | undefined;
  /** The notice is about a fault: the user has to confirm the answer to the tap. */
  readonly alert?: boolean;
  /** The notice comes as a message with the button that reports it, also after a tap. */
  readonly reportable?: boolean;
  /** The data of the accepted button: its message may be edited, and a second tap on it can be recognised. */
  readonly accepted?: string;
}

/** The notice of a tap that no screen stands for. Of a double tap the first one is answered, which is enough. */
export function isInAnswerOnly({ notice, reportable, show, conclusion }: Reply): boolean {
  return Boolean(notice) && !reportable && show?.kind !== 'show' && conclusion.reason !== 'DUPLICATE_ACTION';
}
