// Owns the methods by which a bot chooses how it receives updates. The two ways exclude each other.
import { conflict } from '../api-error.ts';
import type { BotState } from '../bot-state.ts';
import { readAllowedUpdates } from '../webhook.ts';
import type { MethodGroup } from './method.ts';

const WEBHOOK_IS_ACTIVE =
  "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";

export function createUpdateMethods({ webhook, longPoll, queue }: BotState) {
  return {
    getUpdates(parameters, scope) {
      if (webhook.isActive) throw conflict(WEBHOOK_IS_ACTIVE);
      queue.allow(readAllowedUpdates(parameters));
      return longPoll.poll(parameters, listener => scope.onDisconnect(listener));
    },
    setWebhook: parameters => webhook.set(parameters),
    deleteWebhook: parameters => webhook.delete(parameters),
    getWebhookInfo: () => webhook.info,
  } satisfies MethodGroup;
}
