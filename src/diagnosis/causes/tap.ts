// Causes for which a tap or a command was refused: the product working as designed, most of the time.
import type { DetailCodeOf } from '../../otel/events.ts';
import { define } from '../cause.ts';
import { textOf } from '../chain.ts';
import { type Facts, isCase, reasonOf } from '../facts.ts';

export const tapCauses = define({
  form_closed: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED'],
    reasons: ['STATE_MISMATCH'],
    is: facts => isMismatch(facts) && isRefusal(facts, 'form_closed'),
    ru: {
      what: 'нажатие отклонено, потому что форма, к которой относится эта кнопка, уже закрыта',
      next: 'пусть начнёт заново из меню; исправлять нечего',
    },
    en: {
      what: 'the tap was refused because the form that the button belongs to is closed',
      next: 'let the user start again from the menu; there is nothing to fix',
    },
  },
  old_form: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED'],
    reasons: ['STATE_MISMATCH'],
    is: facts => isMismatch(facts) && isRefusal(facts, 'form_changed'),
    ru: {
      what: 'нажатие отклонено, потому что форма с тех пор изменилась, а кнопка – от прежнего шага',
      next: 'пусть продолжит на последнем сообщении формы; исправлять нечего',
    },
    en: {
      what: 'the tap was refused because the form has moved on since, and the button belongs to an earlier step',
      next: 'let the user go on in the last message of the form; there is nothing to fix',
    },
  },
  wrong_screen: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED'],
    reasons: ['STATE_MISMATCH'],
    is: isMismatch,
    ru: {
      what: 'нажатие отклонено, потому что сообщение уже показывает экран «{actual}», а эта кнопка действует на экранах {expected}',
      next: 'пусть продолжит на текущем экране; если так у многих, экраны обновляются слишком медленно',
    },
    en: {
      what: 'the tap was refused because the message shows the screen «{actual}» by now, and this button works on the screens {expected}',
      next: 'let the user go on from the current screen; if this happens to many, screens are drawn too slowly',
    },
  },
  step_passed: {
    confidence: 'high',
    events: ['DISPATCH_OK'],
    reasons: ['STATE_MISMATCH'],
    is: ({ end, reason }) => end !== undefined && reason === 'STATE_MISMATCH',
    ru: {
      what: 'сообщение отклонено, потому что форма его сейчас не ждёт: этот шаг уже пройден',
      next: 'пусть продолжит кнопками на последнем экране; исправлять нечего',
    },
    en: {
      what: 'the message was refused because the form does not expect one now: that step is over',
      next: 'let the user go on with the buttons of the last screen; there is nothing to fix',
    },
  },
  double_tap: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED'],
    reasons: ['DUPLICATE_ACTION'],
    is: isRefusedWith('DUPLICATE_ACTION'),
    ru: {
      what: 'это второе нажатие той же кнопки, первое уже выполняется',
      next: 'смотрите первое нажатие этого пользователя, секундой раньше; исправлять нечего',
    },
    en: {
      what: 'it is a second tap of the same button, and the first one counts',
      next: "look at this user's first tap, moments before; there is nothing to fix",
    },
  },
  quote_expired: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED'],
    reasons: ['EXPIRED_MESSAGE'],
    is: facts => isRefusedWith('EXPIRED_MESSAGE')(facts) && isRefusal(facts, 'quote_expired'),
    ru: {
      what: 'запуск отклонён, потому что показанная цена устарела; деньги не тронуты',
      next: 'пусть подтвердит новую цену на свежем экране; исправлять нечего',
    },
    en: {
      what: 'the run was refused because the price that was shown is out of date; no money was touched',
      next: 'let the user confirm the new price on the fresh screen; there is nothing to fix',
    },
  },
  old_version_button: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED'],
    reasons: ['EXPIRED_MESSAGE'],
    is: facts => isRefusedWith('EXPIRED_MESSAGE')(facts) && !facts.has('CALLBACK_ROUTED'),
    ru: {
      what: 'кнопка осталась от старой версии бота и больше не действует',
      next: 'пусть пользуется свежим меню; исправлять нечего',
    },
    en: {
      what: 'the button comes from an older version of the bot and does nothing any more',
      next: 'let the user use the fresh menu; there is nothing to fix',
    },
  },
  message_unknown: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED'],
    reasons: ['EXPIRED_MESSAGE'],
    is: facts => isRefusedWith('EXPIRED_MESSAGE')(facts) && isRefusal(facts, 'message_unknown'),
    ru: {
      what: 'бот не знает сообщения, на котором стоит кнопка: записи о нём нет',
      next: 'пусть пользуется свежим меню; если так у многих, экраны показываются, но не записываются',
    },
    en: {
      what: 'the bot has no record of the message that bears the button',
      next: 'let the user use the fresh menu; if this happens to many, screens are shown and not recorded',
    },
  },
  old_message: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED'],
    reasons: ['EXPIRED_MESSAGE'],
    is: facts => isRefusedWith('EXPIRED_MESSAGE')(facts) && isRefusal(facts, 'message_expired'),
    ru: {
      what: 'кнопка стоит на сообщении, которому больше 48 часов, и больше не действует',
      next: 'пусть пользуется свежим меню; исправлять нечего',
    },
    en: {
      what: 'the button stands on a message that is over 48 hours old, and does nothing any more',
      next: 'let the user use the fresh menu; there is nothing to fix',
    },
  },
  foreign_button: {
    confidence: 'high',
    events: ['CALLBACK_RECEIVED', 'CALLBACK_REJECTED'],
    reasons: ['UNKNOWN_CALLBACK'],
    is: isRefusedWith('UNKNOWN_CALLBACK'),
    ru: {
      what: 'такой кнопки у бота нет: её данные, {payload}, не его',
      next: 'одно такое нажатие – чужой или изменённый клиент; если их много, релиз убрал кнопку, которая ещё на экранах',
    },
    en: {
      what: 'the bot has no such button: its data, {payload}, is not from this bot',
      next: 'a single one comes from a foreign or modified client; many at once mean that a release dropped a button that is still on screens',
    },
  },
  damaged_button: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED'],
    reasons: ['CALLBACK_PARSE_ERROR'],
    is: isRefusedWith('CALLBACK_PARSE_ERROR'),
    ru: {
      what: 'данные кнопки «{payload}» повреждены и не читаются',
      next: 'одно такое нажатие – изменённый клиент; если их много, формат кнопок изменился без новой версии',
    },
    en: {
      what: 'the data of the button, «{payload}», is damaged and cannot be read',
      next: 'a single one comes from a modified client; many at once mean that the format of the buttons changed without a new version',
    },
  },
  unknown_command: {
    confidence: 'high',
    events: ['COMMAND_RECEIVED', 'COMMAND_REJECTED'],
    reasons: ['UNKNOWN_ACTION'],
    is: ({ last }) => reasonOf(last('COMMAND_REJECTED')) === 'UNKNOWN_ACTION',
    ru: {
      what: 'такой команды у бота нет',
      next: 'исправлять нечего; список команд – в меню Telegram',
    },
    en: {
      what: 'the bot has no such command',
      next: "there is nothing to fix; the list of commands is in Telegram's menu",
    },
  },
  unknown_choice: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED'],
    reasons: ['UNKNOWN_ACTION'],
    is: isRefusedWith('UNKNOWN_ACTION'),
    ru: {
      what: 'кнопка известна, но того, что она выбирает, больше нет ({detail})',
      next: 'проверьте, не убрана ли недавно модель или её параметр из каталога',
    },
    en: {
      what: 'the button is known, but what it chooses does not exist any more ({detail})',
      next: 'check whether a model or one of its parameters has left the catalogue recently',
    },
  },
  group_chat: {
    confidence: 'high',
    events: ['DISPATCH_OK'],
    reasons: ['PERMISSION_DENIED'],
    is: ({ reason, code }) => reason === 'PERMISSION_DENIED' && code === 'not_private',
    ru: {
      what: 'бота позвали в группу или канал, а он работает только в личных чатах и вышел оттуда',
      next: 'исправлять нечего',
    },
    en: {
      what: 'the bot was added to a group or channel; it works in private chats only and has left',
      next: 'there is nothing to fix',
    },
  },
  not_allowed: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED', 'COMMAND_REJECTED', 'DISPATCH_OK'],
    reasons: ['PERMISSION_DENIED'],
    is: ({ reason, end }) => reason === 'PERMISSION_DENIED' && end !== undefined,
    ru: {
      what: 'действие отклонено, потому что этому пользователю оно не разрешено',
      next: 'если разрешить надо, проверьте список администраторов',
    },
    en: {
      what: 'the action was refused because this user is not allowed to do it',
      next: 'if the user should be allowed, check the list of administrators',
    },
  },
  user_rate_limit: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED', 'COMMAND_REJECTED', 'DISPATCH_OK'],
    reasons: ['RATE_LIMIT'],
    is: ({ reason, result }) => reason === 'RATE_LIMIT' && result === 'rejected',
    ru: {
      what: 'действие отклонено, потому что пользователь действовал слишком часто',
      next: 'пусть подождёт немного; если так у многих, поднимите предел или ищите атаку',
    },
    en: {
      what: 'the action was refused because the user was too fast',
      next: 'let the user wait a little; if this happens to many, raise the limit or look for an attack',
    },
  },
  erase_busy: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED', 'USER_ERASED'],
    reasons: ['VALIDATION_FAILED'],
    is: ({ last, reason, code }) =>
      (reason === 'VALIDATION_FAILED' && code === 'user_busy') ||
      textOf(last('USER_ERASED'), 'result') === 'rejected',
    ru: {
      what: 'данные не стёрты, потому что ещё идёт генерация этого пользователя или отправка её результата',
      next: 'пусть дождётся конца и повторит; если конца нет, ищите застрявшую задачу',
    },
    en: {
      what: 'nothing was erased, because a generation of this user still runs or its result is on its way',
      next: 'let the user wait until it ends and try again; if it never ends, look for a stuck task',
    },
  },
  copy_unsent: {
    confidence: 'high',
    events: ['USER_EXPORTED'],
    reasons: [],
    is: ({ last }) => textOf(last('USER_EXPORTED'), 'result') === 'failed',
    ru: {
      what: 'копия данных сделана, но Telegram не принял документ',
      next: 'пусть попросит копию ещё раз через минуту',
    },
    en: {
      what: 'the copy of the data was made, but Telegram did not accept the document',
      next: 'let the user ask for it again in a minute',
    },
  },
  price_unknown: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED', 'DISPATCH_OK'],
    reasons: ['MODEL_DISABLED'],
    is: facts => isModelRefused(facts) && facts.code === 'price_unknown',
    ru: {
      what: 'модель {model} нельзя запустить: её цена неизвестна',
      next: 'задайте цену: trt catalogue price',
    },
    en: {
      what: 'the model {model} cannot be run: its price is unknown',
      next: 'set a price: trt catalogue price',
    },
  },
  model_needs_address: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED', 'DISPATCH_OK'],
    reasons: ['MODEL_DISABLED'],
    is: facts => isModelRefused(facts) && facts.code === 'needs_public_address',
    ru: {
      what: 'модель {model} нельзя запустить: ей нужен публичный адрес бота, а он работает без него',
      next: 'задайте WEBHOOK_BASE_URL, чтобы поставщик мог присылать результат',
    },
    en: {
      what: 'the model {model} cannot be run: it needs a public address of the bot, which has none',
      next: 'set WEBHOOK_BASE_URL, so that the supplier can send the result',
    },
  },
  model_not_offered: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED', 'DISPATCH_OK'],
    reasons: ['MODEL_DISABLED'],
    is: facts => isModelRefused(facts) && facts.code === 'not_this_model',
    ru: {
      what: 'модель {model} здесь не предлагается: бот настроен на одну другую модель',
      next: 'если это не нарочно, проверьте настройку единственной модели',
    },
    en: {
      what: 'the model {model} is not offered here: the bot is set to a single other model',
      next: 'if that is not on purpose, check the setting of the single model',
    },
  },
  model_disabled: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED', 'DISPATCH_OK'],
    reasons: ['MODEL_DISABLED'],
    is: isModelRefused,
    ru: {
      what: 'модель {model} выключена: администратором или после отказа поставщика',
      next: 'посмотрите trt catalogue list и включите её, если поставщик снова её делает',
    },
    en: {
      what: 'the model {model} is switched off: by an administrator, or after the supplier refused it',
      next: 'look at trt catalogue list, and switch it on if the supplier makes it again',
    },
  },
  balance_insufficient: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED', 'DISPATCH_OK'],
    reasons: ['BALANCE_INSUFFICIENT'],
    is: ({ reason, task }) => reason === 'BALANCE_INSUFFICIENT' && task?.failure === undefined,
    ru: {
      what: 'запуск отклонён, потому что на балансе не хватает {missing}; ничего не заказано',
      next: 'пусть пополнит баланс; исправлять нечего',
    },
    en: {
      what: 'the run was refused because the balance is short of {missing}; nothing was ordered',
      next: 'let the user top up; there is nothing to fix',
    },
  },
});

function isRefusal({ last }: Facts, code: DetailCodeOf<'CALLBACK_REJECTED'>): boolean {
  return isCase(last('CALLBACK_REJECTED'), 'CALLBACK_REJECTED', code);
}

/** A fault later in the same update is a cause of its own. */
function isRefusedWith(code: string): (facts: Facts) => boolean {
  return ({ last, result }) => result !== 'failed' && reasonOf(last('CALLBACK_REJECTED')) === code;
}

function isMismatch(facts: Facts): boolean {
  return isRefusedWith('STATE_MISMATCH')(facts);
}

function isModelRefused({ reason, result, task }: Facts): boolean {
  return reason === 'MODEL_DISABLED' && result !== 'failed' && task === undefined;
}
