// Owns the check of `reply_markup`: which keyboards and buttons Telegram takes, and with which words it refuses.
// It promises a cleaned keyboard: buttons without text and rows without buttons are gone, as they are in Telegram.
// It is stricter than Telegram in one place: a button with several actions is refused, where Telegram keeps one of
// them by its own order and drops the rest in silence; the documentation asks for exactly one.
// Sources: Client.cpp get_reply_markup, TDLib ReplyMarkup.cpp and LinkManager.cpp; BUTTON_…: decided by the servers.
import type { InlineKeyboardButton, InlineKeyboardMarkup } from 'grammy/types';
import { badRequest } from './api-error.ts';
import { isLonger } from './formatted-text.ts';
import { isJsonObject, type Parameters } from './parameters.ts';

/** What the user sees below the input field; it belongs to the chat, not to a message. */
export type ReplyKeyboard = readonly (readonly string[])[];

export interface ReplyMarkup {
  /** The buttons of the message itself. */
  readonly inline?: InlineKeyboardMarkup;
  /** A new reply keyboard, or `null` when the old one is taken away. */
  readonly reply?: ReplyKeyboard | null;
}

const MAXIMUM_CALLBACK_DATA_BYTES = 64;
const MAXIMUM_COPY_TEXT_CHARACTERS = 256;
/** Buttons beyond these are dropped in silence. */
const MAXIMUM_ROW_BUTTONS = 12;
const MAXIMUM_BUTTONS = 300;

const ACTIONS = [
  'url',
  'callback_data',
  'callback_game',
  'pay',
  'switch_inline_query',
  'switch_inline_query_chosen_chat',
  'switch_inline_query_current_chat',
  'login_url',
  'web_app',
  'copy_text',
];
/** An empty string is no action in these two; in the others the field alone counts. */
const ACTIONS_BY_VALUE: ReadonlySet<string> = new Set(['url', 'callback_data']);

/** Reads the markup of a message that is sent. */
export function readReplyMarkup(parameters: Parameters): ReplyMarkup {
  const value = parameters.json('reply_markup', 'reply keyboard markup');
  if (value === undefined) return {};
  if (!isJsonObject(value)) throw badRequest('object expected as reply markup');
  const reply = readReplyKeyboard(value.keyboard);
  if (reply.length > 0) return { reply };
  const inline = readInlineKeyboard(value.inline_keyboard);
  if (inline.length > 0) return { inline: { inline_keyboard: inline } };
  return value.remove_keyboard === true || value.hide_keyboard === true ? { reply: null } : {};
}

/** Reads the markup of an edit, which can only be an inline keyboard; without one the keyboard is taken away. */
export function readEditMarkup(parameters: Parameters): InlineKeyboardMarkup | undefined {
  const markup = readReplyMarkup(parameters);
  if (markup.reply !== undefined) throw badRequest('inline keyboard expected');
  return markup.inline;
}

function readReplyKeyboard(value: unknown): ReplyKeyboard {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(Array.isArray)) {
    throw badRequest('field "keyboard" must be an Array of Arrays');
  }
  // SAFETY: the line above has shown that it is an array of arrays.
  const rows = value as readonly (readonly unknown[])[];
  return rows.map(row => row.map(replyButtonText).filter(text => text !== '')).filter(row => row.length > 0);
}

function replyButtonText(button: unknown): string {
  if (typeof button === 'string') return button;
  if (!isJsonObject(button)) {
    throw badRequest("can't parse keyboard button: KeyboardButton must be a String or an Object");
  }
  return requiredString(button, 'text', 'keyboard button');
}

function readInlineKeyboard(value: unknown): InlineKeyboardButton[][] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(Array.isArray)) {
    throw badRequest('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays');
  }
  // SAFETY: the line above has shown that it is an array of arrays.
  const rows = value as readonly (readonly unknown[])[];
  const keyboard: InlineKeyboardButton[][] = [];
  let room = MAXIMUM_BUTTONS;
  for (const row of rows) {
    const buttons = row.map(readInlineButton).filter(button => button.text !== '');
    const kept = buttons.slice(0, Math.min(MAXIMUM_ROW_BUTTONS, room));
    room -= kept.length;
    if (kept.length > 0) keyboard.push(kept);
  }
  return keyboard;
}

function readInlineButton(value: unknown): InlineKeyboardButton {
  if (!isJsonObject(value)) throw badButton('InlineKeyboardButton must be an Object');
  requiredString(value, 'text', 'inline keyboard button');
  const actions = ACTIONS.filter(action => hasAction(value, action));
  if (actions.length === 0) throw badButton('Text buttons are unallowed in the inline keyboard');
  if (actions.length > 1)
    throw badButton(`exactly one action must be specified, found ${actions.join(' and ')}`);
  checkUrl(value.url);
  checkCallbackData(value.callback_data);
  checkCopyText(value.copy_text);
  // SAFETY: it has a text and exactly one action; the rarer actions are passed on as they came.
  return value as unknown as InlineKeyboardButton;
}

function hasAction(button: Readonly<Record<string, unknown>>, action: string): boolean {
  const value = button[action];
  if (value === undefined || value === null) return false;
  return !(ACTIONS_BY_VALUE.has(action) && value === '');
}

function checkUrl(url: unknown): void {
  if (typeof url !== 'string' || url === '') return;
  if (/^(tg|ton|tonsite):/i.test(url)) return;
  const complete = /^https?:\/\//i.test(url) ? url : `http://${url}`;
  if (URL.canParse(complete) && new URL(complete).hostname.includes('.')) return;
  throw badRequest(`inline keyboard button URL '${url}' is invalid: Wrong HTTP URL`);
}

function checkCallbackData(data: unknown): void {
  if (typeof data === 'string' && Buffer.byteLength(data) > MAXIMUM_CALLBACK_DATA_BYTES) {
    throw badRequest('BUTTON_DATA_INVALID');
  }
}

function checkCopyText(copy: unknown): void {
  if (copy === undefined || copy === null) return;
  const text = isJsonObject(copy) ? copy.text : undefined;
  if (typeof text !== 'string') throw badButton('Can\'t find field "text"');
  if (text === '' || isLonger(text, MAXIMUM_COPY_TEXT_CHARACTERS))
    throw badRequest('BUTTON_COPY_TEXT_INVALID');
}

function requiredString(value: Readonly<Record<string, unknown>>, field: string, what: string): string {
  const text = value[field];
  if (typeof text !== 'string') throw badRequest(`can't parse ${what}: Can't find field "${field}"`);
  return text;
}

function badButton(description: string) {
  return badRequest(`can't parse inline keyboard button: ${description}`);
}
