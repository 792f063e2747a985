// Owns the bot's command lists, one per scope and language, and the checks that Telegram makes of a list.
// It does not work out which list a user sees: getMyCommands returns exactly the list that was set for its arguments.
// Source: TDLib BotCommand.cpp; BOT_COMMAND_INVALID and the number of commands: decided by the servers.
import type { BotCommand } from 'grammy/types';
import { badRequest } from './api-error.ts';
import { isLonger } from './formatted-text.ts';
import { isJsonObject, type Parameters } from './parameters.ts';

export interface BotCommands {
  set(parameters: Parameters): void;
  get(parameters: Parameters): BotCommand[];
  delete(parameters: Parameters): void;
}

const MAXIMUM_COMMANDS = 100;
const MAXIMUM_COMMAND_CHARACTERS = 32;
const MAXIMUM_DESCRIPTION_CHARACTERS = 256;

export function createBotCommands(): BotCommands {
  const lists = new Map<string, BotCommand[]>();
  return {
    set(parameters) {
      const commands = readCommands(parameters);
      if (commands.length === 0) lists.delete(listKey(parameters));
      else lists.set(listKey(parameters), commands);
    },
    get: parameters => lists.get(listKey(parameters)) ?? [],
    delete(parameters) {
      lists.delete(listKey(parameters));
    },
  };
}

function listKey(parameters: Parameters): string {
  const scope = parameters.json('scope', 'BotCommandScope');
  if (scope !== undefined && !isJsonObject(scope)) {
    throw badRequest("can't parse BotCommandScope: BotCommandScope must be an Object");
  }
  const { type = 'default', chat_id = '', user_id = '' } = scope ?? {};
  return [type, chat_id, user_id, parameters.text('language_code')].join('/');
}

function readCommands(parameters: Parameters): BotCommand[] {
  const value = parameters.json('commands', 'commands') ?? [];
  if (!Array.isArray(value)) throw badRequest('expected an Array of BotCommand');
  if (value.length > MAXIMUM_COMMANDS) throw badRequest('BOT_COMMANDS_TOO_MUCH');
  return value.map(readCommand);
}

function readCommand(value: unknown): BotCommand {
  if (!isJsonObject(value)) throw badRequest("can't parse BotCommand: expected an Object");
  const command = requiredString(value, 'command').trim().replace(/^\//, '');
  const description = requiredString(value, 'description').trim();
  if (command === '') throw badRequest('command must be non-empty');
  if (isLonger(command, MAXIMUM_COMMAND_CHARACTERS)) {
    throw badRequest(`command length must not exceed ${MAXIMUM_COMMAND_CHARACTERS}`);
  }
  if (!/^[a-z0-9_]+$/.test(command)) throw badRequest('BOT_COMMAND_INVALID');
  if (description === '') throw badRequest('command description must be non-empty');
  if (isLonger(description, MAXIMUM_DESCRIPTION_CHARACTERS)) {
    throw badRequest(`command description length must not exceed ${MAXIMUM_DESCRIPTION_CHARACTERS}`);
  }
  return { command, description };
}

function requiredString(value: Readonly<Record<string, unknown>>, field: string): string {
  const text = value[field];
  if (typeof text !== 'string') throw badRequest(`can't parse BotCommand: Can't find field "${field}"`);
  return text;
}
