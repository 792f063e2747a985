// Owns how a test names a button: by what the user sees or by the data that the bot gets.
import type { ShownButton } from './transcript.ts';

/** A string is the visible text or, if no button shows it, the data. */
export type ButtonChoice = string | { readonly data: string } | { readonly text: string | RegExp };

/** All buttons that fit; more than one means that the choice is ambiguous. */
export function findButtons(buttons: readonly ShownButton[], choice: ButtonChoice): readonly ShownButton[] {
  if (typeof choice === 'string') {
    const byText = buttons.filter(button => button.text === choice);
    return byText.length > 0 ? byText : buttons.filter(button => button.data === choice);
  }
  if ('data' in choice) return buttons.filter(button => button.data === choice.data);
  const { text } = choice;
  return buttons.filter(button =>
    typeof text === 'string' ? button.text === text : button.text.search(text) !== -1,
  );
}

/** The choice in words for an error. */
export function describeChoice(choice: ButtonChoice): string {
  if (typeof choice === 'string') return JSON.stringify(choice);
  return 'data' in choice ? `with data ${JSON.stringify(choice.data)}` : `with text ${String(choice.text)}`;
}
