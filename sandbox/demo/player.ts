// Plays a script against the stage as one user, step by step, and reports each act with what the user saw in
// return and the events it caused. What was seen is read from the calls that the bot made, so that a screen that
// was replaced a moment later is shown too.
import type { Message } from 'grammy/types';
import { incompleteness, isOver } from '../stage/completeness.ts';
import type { EventLine, EventLog } from '../stage/event-log.ts';
import type { Stage } from '../stage/stage.ts';
import type { ApiCall, SandboxUser, SentUpdate } from '../telegram/index.ts';
import type { Act, Step } from './script.ts';

/** Something that appeared on the user's screen. */
export interface Seen {
  readonly kind: 'message' | 'edit' | 'popup';
  readonly text: string;
  /** Labels of the buttons, by rows. */
  readonly buttons: readonly (readonly string[])[];
  /** What is shown above the text, in words: `picture, 512 × 288`. */
  readonly media?: string;
}

export interface Exchange {
  readonly act: Act;
  /** The label of the button that was tapped, as it stood there. */
  readonly tapped: string | undefined;
  readonly seen: readonly Seen[];
  /** Undefined when the bot never received the update. */
  readonly cid: string | undefined;
  readonly chain: readonly EventLine[];
  /** Why the chain is not complete; empty when it is. */
  readonly problems: readonly string[];
}

interface Sent extends SentUpdate {
  readonly callbackId?: string;
  /** The label of a button. */
  readonly text?: string;
}

const stepDeadlineMs = 8_000;

/** Ends early, after an exchange with problems: a conversation that broke off cannot go on. */
export async function* play(
  { telegram, kie }: Stage,
  eventLog: EventLog,
  script: readonly Step[],
): AsyncGenerator<Exchange, void> {
  const user = telegram.user({ firstName: 'Visitor', languageCode: 'en' });
  for (const { acts, supplierFails } of script) {
    if (supplierFails) kie.failNext({ at: 'outcome', does: 'fail', failCode: '500' });
    const callsBefore = telegram.calls().length;
    const sent = perform(user, acts);
    const chainOf = (index: number): readonly EventLine[] => {
      const cid = eventLog.cidOf(sent[index]?.updateId ?? Number.NaN);
      return cid === undefined ? [] : eventLog.chain(cid);
    };
    const over = await eventLog.until(
      () => acts.every((act, index) => isOver(chainOf(index), act.expected)),
      stepDeadlineMs,
    );
    const calls = telegram.calls().slice(callsBefore);
    let complete = over;
    for (const [index, act] of acts.entries()) {
      const chain = chainOf(index);
      const problems = incompleteness(chain, act.expected);
      complete &&= problems.length === 0;
      yield {
        act,
        tapped: sent[index]?.text,
        seen: calls
          .filter(call => causedBy(call, sent, index))
          .map(seenOf)
          .filter(seen => seen !== undefined),
        cid: chain[0]?.cid,
        chain,
        problems,
      };
    }
    if (!complete) return;
  }
}

/** All acts act on the keyboard that is there when the step begins: nothing can come in between. */
function perform(user: SandboxUser, acts: readonly Act[]): readonly Sent[] {
  return acts.map(({ says, taps, sends }) => {
    if (taps !== undefined) return user.click(typeof taps === 'string' ? taps : { text: taps });
    return sends === undefined ? user.say(says ?? '') : user.sendPhoto();
  });
}

/** Answers name their tap; everything else in a step was caused by its first act, as the others are refused. */
function causedBy(call: ApiCall, sent: readonly Sent[], index: number): boolean {
  const query = call.payload.callback_query_id;
  return query === undefined ? index === 0 : query === sent[index]?.callbackId;
}

function seenOf(call: ApiCall): Seen | undefined {
  if (!call.ok) return undefined;
  if (call.method === 'answerCallbackQuery') {
    const { text } = call.payload;
    return typeof text === 'string' && text !== '' ? { kind: 'popup', text, buttons: [] } : undefined;
  }
  if (!/^(send|edit)/.test(call.method)) return undefined;
  // SAFETY: the stand-in answers each send and edit with the message as it is shown from then on.
  const message = call.result as Message;
  const media = mediaOf(message);
  return {
    kind: call.method.startsWith('edit') ? 'edit' : 'message',
    text: message.text ?? message.caption ?? '',
    buttons: (message.reply_markup?.inline_keyboard ?? []).map(row => row.map(({ text }) => text)),
    ...(media === undefined ? {} : { media }),
  };
}

function mediaOf({ photo, video, audio, document }: Message): string | undefined {
  const picture = photo?.at(-1);
  if (picture) return `picture, ${picture.width} × ${picture.height}`;
  if (video) return 'film';
  if (audio) return 'sound';
  return document && `file ${document.file_name ?? ''}`.trimEnd();
}
