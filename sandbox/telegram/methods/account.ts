// Owns the methods about the bot itself: who it is and which commands it offers.
import type { BotState } from '../bot-state.ts';
import type { MethodGroup } from './method.ts';

export function createAccountMethods({ bot, commands }: BotState) {
  return {
    getMe: () => bot,
    setMyCommands(parameters) {
      commands.set(parameters);
      return true;
    },
    getMyCommands: parameters => commands.get(parameters),
    deleteMyCommands(parameters) {
      commands.delete(parameters);
      return true;
    },
  } satisfies MethodGroup;
}
