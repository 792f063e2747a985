// Owns the rules of safety of everything that plays with stand-ins: it leaves this machine under no circumstances, and
// the demo and the smoke test do not even start where a real bot is set up. Whoever has a real token in the environment
// meant to start something else.
// Never prints the token, nor the address it was meant for.
import { type Config, isLoopback } from '../../src/config/config.ts';
import { AppError } from '../../src/errors.ts';

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

/** Throws AppError SANDBOX_REFUSED when the bot would call, or be called from, any other machine than this one. */
export function refuseOutside({ telegram, kie, bot, host }: Config): void {
  const addresses = [telegram.apiRoot, kie.apiUrl, kie.uploadUrl, ...('baseUrl' in bot ? [bot.baseUrl] : [])];
  const isInside = addresses.every(address => isLoopback(new URL(address).hostname)) && isLoopback(host);
  if (isInside) return;
  throw new AppError({
    code: 'SANDBOX_REFUSED',
    message:
      'A sandbox never leaves this machine, but one of its addresses does: this is a defect of the sandbox.',
  });
}

/** libpq's variables would point the bot, and initdb, at another database than the embedded one. */
export function forgetDatabaseVariables(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(environment)) if (name.startsWith('PG')) delete environment[name];
}
