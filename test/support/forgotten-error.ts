// A preload for the program: the answer to a tap causes an error that nobody waits for, as a forgotten `await` does.
import { subscribe } from 'node:diagnostics_channel';

subscribe('undici:request:create', message => {
  // SAFETY: undici documents the message of this channel.
  const { request } = message as { request: { path: string } };
  if (request.path.endsWith('/answerCallbackQuery'))
    void Promise.reject(new TypeError('nobody waits for me'));
});
