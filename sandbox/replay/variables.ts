// What the bot of a replay is set up with beside the sandbox's own: what decides about money and the offer, and is no
// secret. What the update itself shows of that counts first, then the environment of the command, then what the sandbox
// has by itself. No other variable gets in.
import type { Config } from '../../src/config/config.ts';
import type { Notes } from './notes.ts';
import { type Past, welcomeCreditOf } from './past.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const shared = ['USD_RUB_RATE', 'PRICE_MULTIPLIER', 'WELCOME_CREDIT', 'SINGLE_MODEL_ONLY'] as const;

export interface People {
  readonly userId: number;
  /** Somebody must be there who gets the reports of problems. */
  readonly adminId: number;
}

export function variablesOf(past: Past, environment: Environment, people: People): Record<string, string> {
  const { quote } = past.snapshot.form ?? {};
  const welcome = welcomeCreditOf(past.chain);
  const given = shared.flatMap(name => {
    const value = environment[name];
    return value ? [[name, value] as const] : [];
  });
  return {
    ...Object.fromEntries(given),
    ...(quote ? { USD_RUB_RATE: quote.rate, PRICE_MULTIPLIER: quote.multiplier } : {}),
    ...(welcome === undefined ? {} : { WELCOME_CREDIT: String(welcome) }),
    ADMIN_IDS: [people.adminId, ...(past.isByAdmin ? [people.userId] : [])].join(','),
    // Nobody would read a journal of the sandbox, and its lines must reach no collector.
    JOURNAL: 'false',
    OTEL_LOGS_EXPORTER: 'none',
  };
}

/** Says which of what counts for everybody is as it was then. */
export function noteVariables(past: Past, { instance, money }: Config, notes: Notes): void {
  const { rates, welcomeCredit } = money;
  const add = (isAsThen: boolean, note: string): void =>
    void (isAsThen ? notes.restored : notes.different).push(note);
  const rateText = `the rates: ${rates.usdRub} roubles for a dollar, times ${rates.multiplier}`;
  if (past.snapshot.form?.quote) add(true, rateText);
  else add(false, `${rateText}, from the environment of this command or of the sandbox itself`);
  if (past.snapshot.user === undefined)
    add(welcomeCreditOf(past.chain) !== undefined, `the welcome credit: ${welcomeCredit} kopecks`);
  const { changedSettings: changed } = past;
  add(
    changed.length === 0,
    changed.length === 0
      ? 'prices and switches of models: administrators have changed none since'
      : `prices and switches of models are those of today: since then administrators have changed ${changed.join(', ')}`,
  );
  add(
    past.release === instance.release,
    past.release === instance.release
      ? `the program: release ${past.release}`
      : `the program: release ${instance.release}, then it was ${past.release}`,
  );
  if (past.isByAdmin)
    add(false, 'what an administrator sees and has switched: nobody else is here, and detail is off');
}
