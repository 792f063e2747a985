// The load: taps on Help and Back by turns in many chats, posted as Telegram posts them.
import { Pool } from 'undici';

export interface Load {
  /** One /start per chat, so that each has a message with buttons. */
  start(): Promise<void>;
  /** Posts one tap in a chat; resolves with the time until its 200, in milliseconds. */
  tap(chat: number): Promise<number>;
  close(): Promise<void>;
}

/** What the stand-in calls the one message it has sent to each chat. */
const menuMessageId = 2;
export const secret = 'bench-secret';
const firstChat = 1_000_000;
const epochSeconds = 1_760_000_000;
/** One count for all loads of a run: a repeated id would be taken for a duplicate, and never be worked. */
let updateId = 1_000_000;

export function createLoad(port: number, chats: number, connections: number): Load {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1 });
  const taps = new Map<number, number>();
  const inFlight = new Map<number, Promise<number>>();

  async function post(update: object): Promise<number> {
    const startedAt = performance.now();
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: '/webhook',
      headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret },
      body: JSON.stringify(update),
    });
    await body.dump();
    if (statusCode !== 200) throw new Error(`The bot answered ${statusCode}`);
    return performance.now() - startedAt;
  }

  const person = (chat: number) => ({
    id: firstChat + chat,
    is_bot: false,
    first_name: 'Load',
    language_code: 'en',
  });
  const place = (chat: number) => ({ id: firstChat + chat, type: 'private', first_name: 'Load' });

  return {
    async start() {
      for (let chat = 0; chat < chats; chat += 1) {
        updateId += 1;
        await post({
          update_id: updateId,
          message: {
            message_id: 1,
            date: epochSeconds,
            from: person(chat),
            chat: place(chat),
            text: '/start',
          },
        });
      }
    },
    tap(chat) {
      // As Telegram does: the next tap of a chat is sent when the one before is acknowledged.
      const previous = inFlight.get(chat);
      const sent = previous !== undefined ? previous.then(() => send(chat)) : send(chat);
      inFlight.set(chat, sent);
      return sent;
    },
    close: () => pool.close(),
  };

  function send(chat: number): Promise<number> {
    const count = taps.get(chat) ?? 0;
    taps.set(chat, count + 1);
    updateId += 1;
    return post({
      update_id: updateId,
      callback_query: {
        id: String(updateId),
        from: person(chat),
        chat_instance: '1',
        data: count % 2 === 0 ? 'v1:help' : 'v1:back',
        message: {
          message_id: menuMessageId,
          date: epochSeconds,
          chat: place(chat),
          from: { id: 7, is_bot: true, first_name: 'B' },
          text: '-',
        },
      },
    });
  }
}
