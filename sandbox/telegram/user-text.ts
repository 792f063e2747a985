// Owns what Telegram finds in the text that a person types: commands, by which bots are called, and links.
// It does not look for mentions, hashtags, e-mail addresses and phone numbers.
import type { MessageEntity } from 'grammy/types';

/** The commands and links that Telegram marks in what people write; bots are found by their commands. */
export function entitiesOfUserText(text: string): MessageEntity[] {
  const commands = text.matchAll(/(?<![^\s(])\/[a-z0-9_]{1,32}(?:@[a-z0-9_]{5,32})?(?![a-z0-9_/])/gi);
  const links = text.matchAll(/https?:\/\/[^\s<>]+\.[^\s<>]*[^\s<>.,;:!?)]/gi);
  return [
    ...[...commands].map(match => ({
      type: 'bot_command' as const,
      offset: match.index,
      length: match[0].length,
    })),
    ...[...links].map(match => ({ type: 'url' as const, offset: match.index, length: match[0].length })),
  ].sort((left, right) => left.offset - right.offset);
}
