// What people do to the bot: one who floods it, and strangers who try its webhook.
import { defineFaults, repeatedly } from './fault.ts';

const strangersAtOnce = 20;

export const crowdFaults = defineFaults({
  flood: {
    weight: 1,
    seconds: [4, 8],
    touches: 'everything',
    begin({ telegram, sent }, { random }) {
      const user = telegram.user({ languageCode: 'en' });
      const count = random.between(50, 200);
      const updates = Array.from({ length: count }, () => user.say('/help'));
      sent.push(...updates);
      return { hits: () => updates.filter(({ isQueued }) => isQueued).length, end: () => undefined };
    },
  },
  strangers: {
    weight: 1,
    seconds: [2, 8],
    touches: 'supplier',
    begin({ slots }, { random }) {
      const bodies = ['', '{}', 'no JSON', JSON.stringify({ update_id: random.between(1, 1_000) })];
      return repeatedly(100, async () => {
        const refused = await Promise.all(
          Array.from({ length: strangersAtOnce }, async () => {
            const response = await fetch(`http://127.0.0.1:${random.pick(slots).port}/webhook`, {
              method: 'POST',
              headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': 'a guess' },
              body: random.pick(bodies),
              signal: AbortSignal.timeout(2_000),
            });
            await response.body?.cancel();
            return response.ok ? 0 : 1;
          }),
        );
        return refused.filter(Boolean).length;
      });
    },
  },
});
