// A chat with the bot for a real person, as a page on a loopback port of this machine: type, tap, send pictures, see
// and hear what comes, and see the event chain of each cid beside them. The page shows the chat of one user of the
// Telegram stand-in; it speaks to that stand-in, never to the bot. Each change is pushed whole to every open page.
// It has no log-in and needs none: what it can reach is gone when the demo ends.
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import fastify from 'fastify';
import type { Message } from 'grammy/types';
import { z } from 'zod';
import { errorMessage } from '../../src/errors.ts';
import type { EventLog } from '../stage/event-log.ts';
import { offsetMs } from '../stage/event-log.ts';
import type { Stage } from '../stage/stage.ts';
import type { SandboxUser, ShownKeyboard } from '../telegram/index.ts';
import { detailOf, reasonOf } from './event-detail.ts';

export interface ChatPage {
  readonly url: string;
  /** Ends the pages that are open, too. */
  stop(): Promise<void>;
}

export interface ChatPageOptions {
  readonly stage: Stage;
  readonly eventLog: EventLog;
}

const action = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('say'), text: z.string().trim().min(1).max(4096) }),
  z.object({
    kind: z.literal('tap'),
    label: z.string(),
    data: z.string().min(1).max(64),
    messageId: z.int(),
  }),
  /** What a client with a button of another bot would send. */
  z.object({ kind: z.literal('unknown-button') }),
  z.object({ kind: z.literal('fail-next-generation') }),
]);
type Action = z.infer<typeof action>;

interface UserAction {
  /** What the user did, in words. */
  readonly did: string;
  readonly updateId: number;
}

/** As an element of the page takes it; a picture with its size, so that the page does not jump when it comes. */
interface Media {
  readonly element: 'img' | 'video' | 'audio' | 'a';
  readonly src: string;
  readonly width?: number;
  readonly height?: number;
}

interface ChatEntry {
  readonly from: 'user' | 'bot';
  readonly kind: string;
  readonly text: string;
  readonly messageId?: number | undefined;
  readonly keyboard?: ShownKeyboard | undefined;
  readonly media?: Media | undefined;
  /** Of what the user did. */
  readonly cid?: string | undefined;
}

interface Chain {
  readonly cid: string;
  readonly did: string;
  readonly events: readonly {
    readonly name: string;
    readonly level: string;
    readonly offsetMs: number;
    readonly reason: string | undefined;
    readonly detail: string;
  }[];
}

/** Changes come in bursts, one per event; a page needs only the last of each. */
const burstMs = 40;
/** As much as Telegram takes of a photo. */
const pictureLimitBytes = 10 * 1024 * 1024;
const htmlFile = new URL('./chat-page.html', import.meta.url);

export async function startChatPage({ stage, eventLog }: ChatPageOptions): Promise<ChatPage> {
  const html = await readFile(htmlFile, 'utf8');
  const { telegram, kie } = stage;
  const user = telegram.user({ firstName: 'You', languageCode: 'en' });
  const actions: UserAction[] = [];
  const pages = new Set<ServerResponse>();
  const server = fastify({ forceCloseConnections: true });

  function act(wanted: Action): void {
    switch (wanted.kind) {
      case 'say':
        actions.push({ did: `says “${wanted.text}”`, updateId: user.say(wanted.text).updateId });
        break;
      case 'tap': {
        // As in Telegram: a button that was replaced a moment ago can still be under the finger.
        const { updateId } = user.rawCallback(wanted.data, { messageId: wanted.messageId });
        actions.push({ did: `taps [ ${wanted.label} ]`, updateId });
        break;
      }
      case 'unknown-button':
        actions.push({
          did: 'taps a button that is not of this bot',
          updateId: user.rawCallback('test:unknown').updateId,
        });
        break;
      case 'fail-next-generation':
        kie.failNext({ at: 'outcome', does: 'fail', failCode: '500' });
        break;
    }
  }

  function chat(): ChatEntry[] {
    const media = mediaOf(user);
    // What the user did stands in the transcript in the order in which it was done.
    let done = 0;
    return telegram.transcript(user.chatId).map(entry => {
      const { from, kind, text, messageId, keyboard } = entry;
      if (from === 'bot') return { from, kind, text, messageId, keyboard, media: media.get(messageId) };
      const action = actions[done++];
      const words = kind === 'click' || kind === 'photo' ? (action?.did ?? text) : text;
      return { from, kind, text: words, cid: action && eventLog.cidOf(action.updateId) };
    });
  }

  function chains(): Chain[] {
    return actions.flatMap(({ did, updateId }) => {
      const cid = eventLog.cidOf(updateId);
      if (cid === undefined) return [];
      const chain = eventLog.chain(cid);
      const events = chain.map(line => ({
        name: line.name,
        level: line.level,
        offsetMs: offsetMs(chain, line),
        reason: reasonOf(line),
        detail: detailOf(line),
      }));
      return [{ cid, did, events }];
    });
  }

  function push(to: Iterable<ServerResponse>): void {
    const message = `data: ${JSON.stringify({ chat: chat(), chains: chains() })}\n\n`;
    for (const page of to) page.write(message);
  }

  let burst: NodeJS.Timeout | undefined;
  function changed(): void {
    burst ??= setTimeout(() => {
      burst = undefined;
      push(pages);
    }, burstMs);
  }

  server.get('/', async (_request, reply) => reply.type('text/html; charset=utf-8').send(html));

  server.get('/changes', (request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    pages.add(reply.raw);
    request.raw.once('close', () => pages.delete(reply.raw));
    push([reply.raw]);
  });

  server.addContentTypeParser(
    ['image/png', 'image/jpeg'],
    { parseAs: 'buffer', bodyLimit: pictureLimitBytes },
    (_request, body, done) => done(null, body),
  );

  server.post('/pictures', async (request, reply) => {
    if (!Buffer.isBuffer(request.body)) return reply.code(415).send({ error: 'PNG or JPEG' });
    try {
      actions.push({ did: 'sends a picture', updateId: user.sendPhoto(request.body).updateId });
    } catch (error) {
      return reply.code(409).send({ error: errorMessage(error) });
    }
    changed();
    return reply.code(204).send();
  });

  server.post('/actions', async (request, reply) => {
    const wanted = action.safeParse(request.body);
    if (!wanted.success) return reply.code(400).send({ error: z.prettifyError(wanted.error) });
    try {
      act(wanted.data);
    } catch (error) {
      // The stand-in refuses what a client could not do, such as a tap before there is any message.
      return reply.code(409).send({ error: errorMessage(error) });
    }
    changed();
    return reply.code(204).send();
  });

  server.get<{ Params: { messageId: string } }>('/media/:messageId', async ({ params }, reply) => {
    const message = user.messages().find(({ messageId }) => messageId === Number(params.messageId));
    const type = message && mimeTypeOf(message.message);
    if (message?.fileBytes === undefined || type === undefined) return reply.code(404).send();
    return reply.type(type).send(message.fileBytes);
  });

  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const leave = eventLog.onEvent(changed);
  return {
    url,
    async stop() {
      leave();
      clearTimeout(burst);
      await server.close();
    },
  };
}

/** What is to be seen and heard in the chat, by the messages that hold it. */
function mediaOf(user: SandboxUser): ReadonlyMap<number | undefined, Media> {
  return new Map(
    user.messages().flatMap(({ messageId, message }): [number, Media][] => {
      const photo = message.photo?.at(-1);
      const src = `/media/${messageId}`;
      if (photo) return [[messageId, { element: 'img', src, width: photo.width, height: photo.height }]];
      if (message.video) return [[messageId, { element: 'video', src }]];
      if (message.audio) return [[messageId, { element: 'audio', src }]];
      return message.document ? [[messageId, { element: 'a', src }]] : [];
    }),
  );
}

/** The stand-ins make nothing but PNG, MP4 and MP3. */
function mimeTypeOf({ photo, video, audio, document }: Message): string | undefined {
  if (photo) return 'image/png';
  if (video) return 'video/mp4';
  if (audio) return 'audio/mpeg';
  return document && 'application/octet-stream';
}
