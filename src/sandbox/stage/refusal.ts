// Owns the one rule of safety of everything that plays with stand-ins: it must not even start where a real bot is
// set up. Whoever has a real token in the environment meant to start something else.
// Never prints the token, nor the address it was meant for.
import { isLoopback } from '../../config.ts';
import { AppError } from '../../errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Throws AppError SANDBOX_REFUSED when the environment speaks of a real bot. An empty value counts as unset.
 * `program` is what was started: 'demo'.
 */
export function refuseRealBot(environment: Environment, program: string): void {
  if (environment.TELEGRAM_BOT_TOKEN) {
    throw new AppError({
      code: 'SANDBOX_REFUSED',
      message: `The ${program} never uses a real bot, but TELEGRAM_BOT_TOKEN is set: unset it, or start the bot itself with \`npm start\`.`,
    });
  }
  const apiRoot = environment.TELEGRAM_API_ROOT;
  if (apiRoot && !(URL.canParse(apiRoot) && isLoopback(new URL(apiRoot).hostname))) {
    throw new AppError({
      code: 'SANDBOX_REFUSED',
      message: `The ${program} never leaves this machine, but TELEGRAM_API_ROOT points elsewhere: unset it, or start the bot itself with \`npm start\`.`,
    });
  }
}

/** libpq's variables would point the bot, and initdb, at another database than the embedded one. */
export function forgetDatabaseVariables(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(environment)) if (name.startsWith('PG')) delete environment[name];
}
