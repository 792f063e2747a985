// What administrators see: how the service is, why a click ended as it did, what one user did. Texts of events are
// data; everything that is not ours is escaped.
import { type Action, isTrouble } from '../diagnosis/action.ts';
import type { ChainEvent } from '../diagnosis/chain.ts';
import { type ButtonRow, button, inRows, type RenderedScreen } from './keyboard.ts';
import type { ScreenData } from './screens.ts';
import { escapeHtml } from './texts.ts';
import type { View } from './view.ts';

type TextView = Pick<View, 't' | 'locale'>;

const shownChains = 3;
/** Of all chains together, of the 4 096 characters of a message, with room for what stands around. */
const eventsLength = 2_300;
/** Of all verdicts together. */
const sentencesLength = 1_500;
const nameLength = 60;
/** Kinds of what the processes warned of; `trt reasons` has all. */
const shownWarnings = 3;
const chainsPerRow = 2;
/** Where a date begins and a time ends in the ISO form. */
const [dayAt, timeAt, timeEnd] = [5, 11, 19];

/** The panel: the state, the numbers of the last hour, what others did last. */
export function renderDebug(
  { status, dashboard, debugUntil }: ScreenData['DEBUG'],
  view: TextView,
): RenderedScreen {
  const { t } = view;
  const { newestCid } = dashboard;
  const lines = [
    t('debug-panel', {
      mode: status.mode,
      state: status.state,
      epoch: status.epoch,
      heartbeat: status.heartbeatAgeMs === undefined ? '–' : (status.heartbeatAgeMs / 1_000).toFixed(1),
      depth: status.queueDepth,
      faults: dashboard.faults,
      outcomes: dashboard.outcomes,
    }),
    ...(status.source === undefined ? [] : [t('debug-source', { state: status.source })]),
    ...(dashboard.warnings.length === 0 ? [] : [t('debug-warnings', warningsOf(dashboard))]),
    ...(newestCid === undefined ? [] : [t('debug-newest', { cid: newestCid })]),
    debugUntil ? t('debug-level-until', { time: timeOf(debugUntil) }) : t('debug-level-normal'),
    '',
    dashboard.unread === undefined
      ? t(dashboard.actions.length > 0 ? 'debug-outcomes' : 'debug-no-outcomes')
      : escapeHtml(dashboard.unread),
    ...dashboard.actions.map(action => actionLine(action, timeOf(action.at))),
  ];
  return {
    text: lines.join('\n'),
    rows: [
      ...actionRows(dashboard.actions),
      [debugUntil ? button(t('button-debug-off'), 'debugOff') : button(t('button-debug-on'), 'debugOn')],
      [button(t('button-debug-cid'), 'debugCid')],
      [button(t('button-debug-close'), 'debugClose')],
    ],
    ...(newestCid === undefined ? {} : { copy: copyOf(newestCid, view) }),
  };
}

/** The traces of a cid, each with its verdict and its events; or why there is none. */
export function renderDebugChain(
  { cid, judged, nothing }: ScreenData['DEBUG_CHAIN'],
  view: TextView,
): RenderedScreen {
  const { t } = view;
  const shown = judged.slice(0, shownChains);
  const parts = shown.map(({ chain, verdict }) => {
    return [
      `<b>${escapeHtml(chain.traceId)}</b>`,
      escapeHtml(shorten(verdict.sentence, Math.floor(sentencesLength / shown.length))),
      t('debug-confidence', { confidence: t(`confidence-${verdict.confidence}`) }),
      `<pre>${escapeHtml(abridged(chain.events.map(eventLine), Math.floor(eventsLength / shown.length)))}</pre>`,
    ].join('\n');
  });
  const why = escapeHtml(nothing?.sentence ?? '');
  const isUnread = nothing?.cause === 'journal_unreadable';
  const body =
    nothing === undefined ? parts.join('\n\n') : isUnread ? why : t('debug-no-trace', { verdict: why });
  return {
    text: `${t('debug-chain', { cid })}\n\n${body}`,
    rows: [[button(t('button-debug'), 'debugCid')]],
    copy: copyOf(cid, view),
  };
}

/** What one user did last; `complaint`: the verdicts that go with a report of theirs. */
export function renderDebugUser(
  { who, actions, unread, complaint }: ScreenData['DEBUG_USER'],
  view: TextView,
): RenderedScreen {
  const { t } = view;
  const lines = [
    ...(complaint
      ? [
          t('debug-complaint'),
          ...complaint.map(
            sentence => `• ${escapeHtml(shorten(sentence, Math.floor(sentencesLength / complaint.length)))}`,
          ),
          '',
        ]
      : []),
    ...(unread === undefined
      ? [t(actions.length > 0 ? 'debug-user' : 'debug-user-nothing', { who: escapeHtml(who) })]
      : [escapeHtml(unread)]),
    ...actions.map(action => actionLine(action, dayOf(action.at))),
  ];
  return {
    text: lines.join('\n'),
    rows: [...actionRows(actions), [button(t('button-debug'), 'debugCid')]],
  };
}

function warningsOf({ warnings }: ScreenData['DEBUG']['dashboard']): { count: number; kinds: string } {
  const kinds = warnings.slice(0, shownWarnings).map(({ event, operation, count }) => {
    const name = operation === undefined ? event : `${event} ${shorten(operation, nameLength)}`;
    return `${escapeHtml(name)} ${count}`;
  });
  if (warnings.length > shownWarnings) kinds.push('…');
  return { count: warnings.reduce((sum, { count }) => sum + count, 0), kinds: kinds.join(', ') };
}

function copyOf(cid: string, { t }: TextView): { text: string; value: string } {
  return { text: t('button-copy-cid', { cid }), value: cid };
}

function actionRows(actions: readonly Action[]): ButtonRow[] {
  // Two traces can share a cid, and one button shows both.
  const byCid = Map.groupBy(actions, ({ cid }) => cid);
  const shown = [...byCid].map(([cid, ofCid]) =>
    button(`${ofCid.some(isTrouble) ? '⚠️' : '🔎'} ${cid}`, 'debugShow', cid),
  );
  return inRows(shown, chainsPerRow);
}

/** Too much for a button on the screen of a phone. */
function actionLine(action: Action, time: string): string {
  const { cid, screen, name, reason } = action;
  const what = [name, screen].filter(part => part !== undefined).map(part => shorten(part, nameLength));
  return `${isTrouble(action) ? '⚠️ ' : ''}${time} <code>${cid}</code> <b>${reason}</b>\n${escapeHtml(what.join(' · '))}`;
}

function eventLine({ at, name, fields }: ChainEvent): string {
  const reason = typeof fields.reason_code === 'string' ? ` ${fields.reason_code}` : '';
  return `${at.toISOString().slice(11, 23)} ${name}${reason}`;
}

/** Without those in the middle where there are too many: how it began and how it ended is what matters. */
function abridged(lines: readonly string[], length: number): string {
  const kept = [...lines];
  let left = kept.reduce((sum, line) => sum + line.length + 1, 0);
  if (left <= length) return kept.join('\n');
  while (left + 1 > length && kept.length > 0) {
    const [dropped = ''] = kept.splice(Math.floor(kept.length / 2), 1);
    left -= dropped.length + 1;
  }
  return kept.toSpliced(Math.ceil(kept.length / 2), 0, '…').join('\n');
}

/** UTC, as in the log lines. */
function timeOf(at: Date): string {
  return at.toISOString().slice(timeAt, timeEnd);
}

function dayOf(at: Date): string {
  return `${at.toISOString().slice(dayAt, timeAt - 1)} ${timeOf(at)}`;
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}
