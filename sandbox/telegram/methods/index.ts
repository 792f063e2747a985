// Owns the list of the methods that the sandbox implements. It is the only door of this folder.
// Names are found whatever their case, as in the Bot API; a name that is not here is a gap that the caller reports.
import type { BotState } from '../bot-state.ts';
import type { Parameters } from '../parameters.ts';
import { createAccountMethods } from './account.ts';
import { createAnswerMethods } from './answers.ts';
import { createEditMethods } from './edits.ts';
import { createMediaMethods } from './media.ts';
import { createMessageMethods } from './messages.ts';
import type { CallScope } from './method.ts';
import { createUpdateMethods } from './updates.ts';

export type { CallScope } from './method.ts';

export interface Method {
  /** The name in the spelling of the documentation. */
  readonly name: string;
  /** Executes the method. Throws ApiError, or rejects with it, when the method refuses. */
  readonly execute: (parameters: Parameters, scope: CallScope) => unknown;
}

/** The methods by their names in lower case. */
export function createMethods(state: BotState): ReadonlyMap<string, Method> {
  const handlers: Readonly<Record<string, Method['execute']>> = {
    ...createAccountMethods(state),
    ...createUpdateMethods(state),
    ...createMessageMethods(state),
    ...createEditMethods(state),
    ...createMediaMethods(state),
    ...createAnswerMethods(state),
  };
  return new Map(Object.entries(handlers).map(([name, execute]) => [name.toLowerCase(), { name, execute }]));
}
