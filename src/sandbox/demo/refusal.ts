// Owns the one rule of safety of the demo: it plays with stand-ins only, so it must not even start where a real
// bot is set up. Whoever has a real token in the environment meant to start something else.
// Never prints the token, nor the address it was meant for.
import { isLoopback } from '../../config.ts';
import { AppError } from '../../errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws AppError SANDBOX_REFUSED when the environment speaks of a real bot. An empty value counts as unset. */
export function refuseRealBot(environment: Environment): void {
  if (environment.TELEGRAM_BOT_TOKEN) {
    throw new AppError({
      code: 'SANDBOX_REFUSED',
      message:
        'The demo never uses a real bot, but TELEGRAM_BOT_TOKEN is set: unset it, or start the bot itself with `npm start`.',
    });
  }
  const apiRoot = environment.TELEGRAM_API_ROOT;
  if (apiRoot && !(URL.canParse(apiRoot) && isLoopback(new URL(apiRoot).hostname))) {
    throw new AppError({
      code: 'SANDBOX_REFUSED',
      message:
        'The demo never leaves this machine, but TELEGRAM_API_ROOT points elsewhere: unset it, or start the bot itself with `npm start`.',
    });
  }
}
