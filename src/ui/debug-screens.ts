// What administrators see: how the service is, why a click ended as it did, what one user did. Texts of events are
// data; everything that is not ours is escaped.
import type { Action } from '../diagnosis/action.ts';
import type { ChainEvent } from '../diagnosis/chain.ts';
import { type ButtonRow, button, type RenderedScreen } from './keyboard.ts';
import type { ScreenData } from './screens.ts';
import { escapeHtml } from './texts.ts';
import type { View } from './view.ts';

type TextView = Pick<View, 't' | 'locale'>;

const shownChains = 3;
/** Of all chains together, of the 4 096 characters of a message, with room for what stands around. */
const eventsLength = 2_300;
const sentenceLength = 420;
const labelLength = 48;

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
    ...(newestCid === undefined ? [] : [t('debug-newest', { cid: newestCid })]),
    debugUntil ? t('debug-level-until', { time: timeOf(debugUntil) }) : t('debug-level-normal'),
    '',
    dashboard.actions.length > 0 ? t('debug-outcomes') : t('debug-no-outcomes'),
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

export function renderDebugChain(
  { cid, judged, nothing }: ScreenData['DEBUG_CHAIN'],
  view: TextView,
): RenderedScreen {
  const { t } = view;
  const shown = judged.slice(0, shownChains);
  const parts = shown.map(({ chain, verdict }) => {
    const events = chain.events.map(eventLine).join('\n');
    return [
      `<b>${escapeHtml(chain.traceId)}</b>`,
      escapeHtml(shorten(verdict.sentence, sentenceLength)),
      t('debug-confidence', { confidence: t(`confidence-${verdict.confidence}`) }),
      `<pre>${escapeHtml(shorten(events, Math.floor(eventsLength / shown.length)))}</pre>`,
    ].join('\n');
  });
  const body = judged.length > 0 ? parts.join('\n\n') : escapeHtml(nothing?.sentence ?? '');
  return {
    text: `${t('debug-chain', { cid })}\n\n${body}`,
    rows: [[button(t('button-debug'), 'debugCid')]],
    copy: copyOf(cid, view),
  };
}

export function renderDebugUser(
  { who, actions, complaint }: ScreenData['DEBUG_USER'],
  view: TextView,
): RenderedScreen {
  const { t } = view;
  const lines = [
    ...(complaint ? [t('debug-complaint')] : []),
    t(actions.length > 0 ? 'debug-user' : 'debug-user-nothing', { who: escapeHtml(who) }),
    ...(complaint ?? []).map(sentence => `• ${escapeHtml(shorten(sentence, sentenceLength))}`),
  ];
  return {
    text: lines.join('\n'),
    rows: [...actionRows(actions), [button(t('button-debug'), 'debugCid')]],
  };
}

function copyOf(cid: string, { t }: TextView): { text: string; value: string } {
  return { text: t('button-copy-cid', { cid }), value: cid };
}

function actionRows(actions: readonly Action[]): ButtonRow[] {
  // Two traces can share a cid, and one button shows both.
  const byCid = new Map(actions.map(action => [action.cid, action]));
  return [...byCid.values()].map(action => [button(actionLabel(action), 'debugShow', action.cid)]);
}

function actionLabel({ cid, at, screen, name, reason }: Action): string {
  const what = [name, screen].filter(part => part !== undefined).join(' @ ');
  return shorten(`${timeOf(at)} ${cid} ${reason} ${what}`, labelLength);
}

function eventLine({ at, name, fields }: ChainEvent): string {
  const reason = typeof fields.reason_code === 'string' ? ` ${fields.reason_code}` : '';
  return `${at.toISOString().slice(11, 23)} ${name}${reason}`;
}

function timeOf(at: Date): string {
  return at.toISOString().slice(11, 19);
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}
