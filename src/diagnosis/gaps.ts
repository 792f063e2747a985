// What is missing in a chain. A gap that could hide the real cause makes a verdict less sure; the others are only shown.
import type { Locale, Localized } from '../locales.ts';
import { isUnended } from './causes/fault.ts';
import { isKnownUnstored, isUnpicked } from './causes/receipt.ts';
import { type ChainEvent, textOf } from './chain.ts';
import type { Facts } from './facts.ts';
import { processEventsAround } from './surroundings.ts';

interface Gap extends Localized {
  /** Whether what is missing could make another cause of it. */
  readonly matters: boolean;
  readonly is: (facts: Facts) => boolean;
}

const gaps: readonly Gap[] = [
  {
    matters: true,
    is: ({ chain }) => chain.events.length === 0,
    ru: 'нет ни одного события',
    en: 'there is no event at all',
  },
  {
    matters: false,
    is: facts => isWorked(facts) && !facts.has('UPDATE_RECEIVED'),
    ru: 'нет строк о получении (UPDATE_RECEIVED): это логи не всех экземпляров или не всего времени',
    en: 'the lines of the receipt (UPDATE_RECEIVED): these are the logs of some instances or of some time only',
  },
  {
    matters: true,
    is: facts =>
      facts.has('UPDATE_RECEIVED') &&
      !facts.has('QUEUE_ENQUEUE', 'UPDATE_DUPLICATE', 'QUEUE_PICK', 'DISPATCH_START') &&
      facts.end === undefined &&
      facts.reason !== 'PASSIVE_REJECT' &&
      !isKnownUnstored(facts),
    ru: 'нет строки о том, что обновление сохранено (QUEUE_ENQUEUE)',
    en: 'the line that the update was stored (QUEUE_ENQUEUE)',
  },
  {
    matters: true,
    is: isUnpicked,
    ru: 'нет событий обработки (QUEUE_PICK, DISPATCH_START): её ещё не взяли, или строки у другого экземпляра',
    en: 'the events of the dispatch (QUEUE_PICK, DISPATCH_START): nobody has picked it yet, or the lines are of another instance',
  },
  {
    matters: true,
    is: facts => isUnended(facts) || isRefusedWithoutEnd(facts),
    ru: 'нет конца обработки (DISPATCH_OK или DISPATCH_FAIL)',
    en: 'the end of the dispatch (DISPATCH_OK or DISPATCH_FAIL)',
  },
  {
    matters: true,
    is: ({ task, has }) =>
      task !== undefined && has('TASK_CREATED') && !task.isMade && task.failure === undefined,
    ru: 'нет конца генерации (TASK_COMPLETED или TASK_FAILED)',
    en: 'the end of the generation (TASK_COMPLETED or TASK_FAILED)',
  },
  {
    matters: false,
    is: ({ chain, surroundings, end }) =>
      end === undefined && processEventsAround(surroundings, chain).some(isOfLostLines),
    ru: 'часть строк того времени: stdout их не принимал, они в журнале (trt trace)',
    en: 'some lines of that time: stdout did not take them, the journal has them (trt trace)',
  },
  {
    matters: false,
    is: facts => isOfOneInstance(facts) && isUnpicked(facts),
    ru: 'это строки одного экземпляра бота',
    en: 'these are lines of one instance only',
  },
];

/** What is missing, in words. */
export function gapsOf(facts: Facts, locale: Locale): string[] {
  return gaps.filter(({ is }) => is(facts)).map(gap => gap[locale]);
}

/** Whether something is missing without which the cause is less sure. */
export function hasGapThatMatters(facts: Facts): boolean {
  return gaps.some(({ matters, is }) => matters && is(facts));
}

/** Told when stdout begins to refuse lines, and when it takes them again. */
function isOfLostLines(event: ChainEvent): boolean {
  return textOf(event, 'error_type') === 'LINES_LOST';
}

function isWorked({ has }: Facts): boolean {
  return has('QUEUE_PICK', 'DISPATCH_START', 'DISPATCH_OK', 'DISPATCH_FAIL');
}

/** A tap that was refused by the frame; one that nobody ACTIVE was there for ends at once. */
function isRefusedWithoutEnd({ has, end, last }: Facts): boolean {
  return (
    end === undefined &&
    !has('QUEUE_PICK', 'DISPATCH_START') &&
    has('CALLBACK_REJECTED', 'COMMAND_REJECTED', 'PARAM_VALIDATION_FAILED') &&
    textOf(last('CALLBACK_REJECTED'), 'reason_code') !== 'PASSIVE_REJECT'
  );
}

function isOfOneInstance({ chain }: Facts): boolean {
  return new Set(chain.events.map(event => textOf(event, 'instance_id'))).size === 1;
}
