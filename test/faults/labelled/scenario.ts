// A labelled fault: how it is provoked on a running bot, and the cause that its verdict must name. Scenarios of one
// group share a bot, each with users of its own; what they leave behind must not touch the next one.
import type { SandboxUser, SentUpdate } from '../../../sandbox/telegram/index.ts';
import type { Confidence } from '../../../src/diagnosis/cause.ts';
import type { Cause } from '../../../src/diagnosis/causes.ts';
import { chainsOf, type TracedSpan, updateEndNames } from '../../../src/diagnosis/chain.ts';
import { parseLines } from '../../../src/diagnosis/lines.ts';
import { surroundingsOfEvents } from '../../../src/diagnosis/surroundings.ts';
import { type Verdict, verdictOf } from '../../../src/diagnosis/verdict.ts';
import type { Locale } from '../../../src/locales.ts';
import type { BotOptions, BotUnderTest } from '../../support/bot.ts';
import { spanExporter } from '../../support/record-spans.ts';
import { traceEnded } from '../../support/story.ts';
import { walkToConfirm } from '../../support/walk.ts';

export interface Scenario {
  readonly name: string;
  readonly cause: Cause;
  /** Resolves to the cid that somebody who complains would give. */
  provoke(bot: BotUnderTest): Promise<string>;
}

export interface Group {
  readonly name: string;
  readonly options: BotOptions;
  readonly scenarios: readonly Scenario[];
  /** Lets go what the scenarios keep hanging, so that the bot can stop. */
  release?(bot: BotUnderTest): Promise<void>;
}

export interface Judged {
  readonly scenario: Scenario;
  readonly cause: string;
  readonly confidence: Confidence;
  readonly sentence: string;
  readonly isRight: boolean;
}

/** What is said of the cid from the lines and spans that there are at this moment. */
export function judge(bot: BotUnderTest, cid: string, locale: Locale): Verdict {
  const { events } = parseLines(bot.output.join('\n'));
  const chains = chainsOf(events, spansOf(cid)).filter(chain => chain.cid === cid);
  const [chain, another] = chains;
  if (!chain || another) throw new Error(`${chains.length} chains have the cid ${cid}`);
  return verdictOf(chain, locale, surroundingsOfEvents(events));
}

function spansOf(cid: string): TracedSpan[] {
  return spanExporter
    .getFinishedSpans()
    .filter(span => span.spanContext().traceId.startsWith(cid))
    .map(span => ({
      traceId: span.spanContext().traceId,
      spanId: span.spanContext().spanId,
      parentSpanId: span.parentSpanContext?.spanId,
      name: span.name,
      startedAt: new Date(milliseconds(span.startTime)),
      durationMs: milliseconds(span.duration),
      // SpanStatusCode.ERROR
      failed: span.status.code === 2,
    }));
}

function milliseconds([seconds, nanoseconds]: readonly [number, number]): number {
  return seconds * 1_000 + nanoseconds / 1_000_000;
}

/** The cid of an update, once one of these events has happened: its own end by default. */
export async function cidAfter(bot: BotUnderTest, sent: SentUpdate, ...names: string[]): Promise<string> {
  const cid = await bot.cidOf(sent.updateId);
  await bot.waitForEvent(cid, ...(names.length > 0 ? names : updateEndNames));
  return cid;
}

/** The same, and nothing of its trace goes on. */
export async function cidAtEnd(bot: BotUnderTest, sent: SentUpdate, ...names: string[]): Promise<string> {
  const cid = await cidAfter(bot, sent, ...names);
  await traceEnded(bot, cid);
  return cid;
}

export async function userAtMenu(bot: BotUnderTest): Promise<SandboxUser> {
  const user = bot.user();
  await cidAtEnd(bot, user.start());
  return user;
}

/** A user who has tapped Run. */
export async function runOf(bot: BotUnderTest) {
  const user = bot.user();
  await walkToConfirm(user);
  return { user, run: user.click('🚀 Run') };
}
