// A lean Bot API for load: valid answers to the calls that the benchmark's bots make, after an optional delay.
// A process of its own, so that its CPU counts for nobody. `GET /edits` says how many taps have ended, and
// `GET /webhook` where the bot that registered last listens.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const menuMessageId = 2;
const delayMs = Number(process.argv[2] ?? 0);
let edits = 0;
let webhook = '';

const answers: Readonly<Record<string, () => unknown>> = {
  getMe: () => ({
    id: 7000000001,
    is_bot: true,
    first_name: 'Bench',
    username: 'bench_bot',
    can_join_groups: false,
  }),
  setWebhook: () => true,
  setMyCommands: () => true,
  answerCallbackQuery: () => true,
  editMessageText: () => {
    edits += 1;
    return true;
  },
  // Ids count per chat, and each chat gets one message.
  sendMessage: () => ({
    message_id: menuMessageId,
    date: 0,
    chat: { id: 1, type: 'private', first_name: 'B' },
    text: '-',
  }),
};

const own: Readonly<Record<string, () => string>> = { edits: () => String(edits), webhook: () => webhook };

const server = createServer((request, response) => {
  const method = request.url?.split('/').at(-1) ?? '';
  if (method === 'setWebhook')
    request.on('data', chunk => (webhook = /"url":"([^"]+)"/.exec(String(chunk))?.[1] ?? webhook));
  else request.resume();
  const reply = (): void => {
    const answer = answers[method];
    response.setHeader('content-type', 'application/json');
    if (own[method]) response.end(own[method]());
    else if (answer) response.end(JSON.stringify({ ok: true, result: answer() }));
    else
      response
        .writeHead(404)
        .end('{"ok":false,"error_code":404,"description":"Not Found: method not found"}');
  };
  request.on('end', () => {
    if (delayMs > 0 && !own[method]) setTimeout(reply, delayMs);
    else reply();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`);
});
