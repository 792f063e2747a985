// The measure: a bare grammY bot with the same two calls per tap, nothing durable, no telemetry, grammY's
// defaults throughout.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Bot, InlineKeyboard, webhookCallback } from 'grammy';

const bot = new Bot(process.env.TELEGRAM_BOT_TOKEN ?? '', {
  client: { apiRoot: process.env.TELEGRAM_API_ROOT ?? '' },
});
bot.command('start', context => context.reply('menu'));
bot.on('callback_query:data', async context => {
  await context.answerCallbackQuery();
  await context.editMessageText(`<b>How it works</b>\n\n${'A line of help. '.repeat(20)}`, {
    parse_mode: 'HTML',
    reply_markup: new InlineKeyboard().text('Back', 'v1:back').text('Menu', 'v1:menu'),
  });
});
await bot.init();
const handle = webhookCallback(bot, 'http');
const server = createServer((request, response) => void handle(request, response));
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`);
});
