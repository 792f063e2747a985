// What became of what an update left to be done: it is done after the end of the update, in the same trace.
import { followUps } from '../../otel/warning-operations.ts';
import { define } from '../cause.ts';
import { textOf } from '../chain.ts';
import { type Facts, isAbout } from '../facts.ts';

export const followUpCauses = define({
  follow_up_failed: {
    confidence: 'high',
    events: ['SYSTEM_WARNING'],
    reasons: ['DB_ERROR', 'INTERNAL_ERROR'],
    is: isFailedLast,
    ru: {
      what: 'само действие принято, а то, что должно было последовать за ним, пока не удалось ({followUp})',
      next: 'это повторяется ещё минут двадцать; если событий больше нет, посмотрите ошибку последней строки и состояние базы',
    },
    en: {
      what: 'the action itself was carried out, but what should follow it has not succeeded so far ({followUp})',
      next: 'it is tried again for about twenty minutes; if no more events come, look at the error of the last line and at the database',
    },
  },
  erased: {
    confidence: 'high',
    events: ['USER_ERASED'],
    reasons: [],
    is: ({ last }) => textOf(last('USER_ERASED'), 'result') === 'accepted',
    ru: {
      what: 'всё, что хранилось об этом пользователе, стёрто, как он и просил',
      next: 'исправлять нечего; о том, что было раньше, больше ничего не узнать',
    },
    en: {
      what: 'everything that was stored about this user was erased, as they had asked',
      next: 'there is nothing to fix; what happened before cannot be looked up any more',
    },
  },
  exported: {
    confidence: 'high',
    events: ['USER_EXPORTED'],
    reasons: [],
    is: ({ last }) => textOf(last('USER_EXPORTED'), 'result') === 'accepted',
    ru: { what: 'пользователю отправлена копия его данных', next: 'исправлять нечего' },
    en: { what: "a copy of the user's data was sent to them", next: 'there is nothing to fix' },
  },
});

/** Nothing has happened since. */
function isFailedLast({ chain }: Facts): boolean {
  return isAbout(chain.events.at(-1), 'SYSTEM_WARNING', ...followUps);
}
