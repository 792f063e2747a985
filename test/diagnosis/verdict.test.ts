// Verdicts of chains that lack something, or that stand in certain surroundings. What running bots make of faults is
// judged in test/faults/labelled.
import { describe, expect, test } from 'vitest';
import { verdictOf, verdictOfNothing } from '../../src/diagnosis/verdict.ts';
import { after, chain, chainWith, done, processEvent, type Step, tapped, traceId } from './hand-made.ts';

const mismatch = [
  'CALLBACK_REJECTED',
  {
    reason_code: 'STATE_MISMATCH',
    expected_state: 'CATEGORY_PICK | MODEL_PICK',
    actual_state: 'PARAMS_FORM',
    button_id: 'BACK',
  },
] as const;
const received = ['CALLBACK_RECEIVED', { button_id: 'BACK', screen_id: 'PARAMS_FORM' }] as const;
const answered = ['ANSWER_CALLBACK_QUERY', { result: 'accepted', text: 'Этот шаг уже пройден.' }] as const;
const rejectedEnd = ['DISPATCH_OK', { result: 'rejected', reason_code: 'STATE_MISMATCH' }] as const;
const task = { task_id: 't1', model_id: 'z-image', model_version: '1', event_type: 'job' };
const created = ['TASK_CREATED', task] as const;
const held = ['BALANCE_HOLD', { ...task, amount: 1_250 }] as const;

test('lines that stdout did not take at that time are named where the end is missing', () => {
  const lost = processEvent('SYSTEM_WARNING', 50, { operation: 'write lines', error_type: 'LINES_LOST' });
  const around = { processEvents: [lost], now: after(600_000) };
  expect(verdictOf(chain(...tapped), 'en', around).missing).toContainEqual(
    expect.stringContaining('stdout did not take them'),
  );
  expect(verdictOf(chain(...tapped, done), 'en', around).missing).toEqual([]);
});

test.each([
  ['follow_up_failed', ['SYSTEM_WARNING', { operation: 'follow up welcome', error_type: '40001' }]],
  ['erased', ['USER_ERASED', { result: 'accepted' }]],
  ['exported', ['USER_EXPORTED', { result: 'accepted' }]],
  ['erase_busy', ['USER_ERASED', { result: 'rejected' }]],
  ['copy_unsent', ['USER_EXPORTED', { result: 'failed' }]],
] as const)(
  'what followed an update tells %s, and a failure that was overcome tells nothing',
  (cause, step) => {
    const noop = ['DISPATCH_OK', { result: 'noop', reason_code: 'NOOP' }] as const;
    const failed = ['SYSTEM_WARNING', { operation: 'follow up erase', error_type: '57P03' }] as const;
    expect(verdictOf(chain(...tapped, noop, failed, step), 'en').cause).toBe(cause);
  },
);

describe('a screen that Telegram did not take at once', () => {
  const owed = [
    'RENDER_OWED',
    { screen_id: 'MAIN_MENU', reason_code: 'DOWNSTREAM_ERROR', reason_detail: 'it is due in 2 s' },
  ] as const;
  const failed = [
    'DISPATCH_FAIL',
    {
      result: 'failed',
      reason_code: 'DOWNSTREAM_ERROR',
      detail_code: 'telegram_unreachable',
      error_type: 'HttpError',
    },
  ] as const;
  const sentenceOf = (...later: readonly Step[]) =>
    verdictOf(chain(...tapped, owed, failed, ...later), 'en').sentence;

  test('is said to come while it is owed, and nobody is said to have seen anything', () => {
    const sentence = sentenceOf();
    expect(sentence).toContain('; the bot will show the screen as soon as Telegram accepts it, within');
    expect(sentence).not.toContain('the user saw');
  });

  test('is said not to have come once it was dropped, and why', () => {
    expect(
      sentenceOf(['RENDER_DROPPED', { screen_id: 'MAIN_MENU', reason_detail: 'user has gone on' }]),
    ).toContain('; the bot did not show the screen later either (user has gone on); what to do:');
  });

  test('is said to have been seen once it was shown', () => {
    const sentence = sentenceOf(['UI_RENDER', { screen_id: 'MAIN_MENU', operation: 'send' }]);
    expect(sentence).toContain('the user saw the screen «Main menu»; what to do:');
  });
});

test('of data that are not ours the length is said in words', () => {
  const foreign = ['CALLBACK_RECEIVED', { button_id: 'UNKNOWN', payload_sanitized: 'text(7)' }] as const;
  const refusal = ['CALLBACK_REJECTED', { reason_code: 'UNKNOWN_CALLBACK', button_id: 'UNKNOWN' }] as const;
  const end = ['DISPATCH_OK', { result: 'rejected', reason_code: 'UNKNOWN_CALLBACK' }] as const;
  const { sentence } = verdictOf(chain(...tapped, foreign, refusal, end), 'en');
  expect(sentence).toContain('its data, 7 characters, is not from this bot');
});

describe('the sentence', () => {
  const refused = chain(...tapped, received, mismatch, answered, rejectedEnd);

  test('says in Russian what the user did, why it was refused, what was seen and what to do', () => {
    expect(verdictOf(refused, 'ru')).toEqual({
      cause: 'wrong_screen',
      confidence: 'high',
      missing: [],
      sentence:
        '2026-11-23 14:03:22 UTC: пользователь нажал «◀️ Назад» на экране «Вопрос формы», и нажатие отклонено, ' +
        'потому что сообщение уже показывает экран «Вопрос формы», а эта кнопка действует на экранах ' +
        '«Список моделей», «Карточка модели»; пользователь увидел ответ «Этот шаг уже пройден»; что делать: ' +
        'пусть продолжит на текущем экране; если так у многих, экраны обновляются слишком медленно.',
    });
  });

  test('says it in English', () => {
    expect(verdictOf(refused, 'en').sentence).toMatch(
      /^2026-11-23 14:03:22 UTC: the user tapped «◀️ Back» on the screen «Question of the form», and the tap was refused because the message shows the screen «Question of the form» by now, and this button works on the screens «List of models», «Card of a model»; the user saw the answer «[^»]+»; what to do: .+\.$/,
    );
  });

  test('tells where the money is', () => {
    const failed = chain(
      ...tapped,
      created,
      held,
      done,
      [
        'TASK_FAILED',
        {
          ...task,
          reason_code: 'DOWNSTREAM_ERROR',
          supplier_code: 402,
          error_type: 'KIE_REFUSED',
        },
      ],
      ['BALANCE_RELEASE', { ...task, amount: 1_250 }],
    );
    expect(verdictOf(failed, 'ru')).toMatchObject({ cause: 'kie_credits_empty', confidence: 'high' });
    // Between the number and its sign stands a space that does not break.
    expect(verdictOf(failed, 'ru').sentence).toContain('12,50\u00a0₽ вернулись на баланс');
    expect(verdictOf(failed, 'en').sentence).toContain('₽12.50 went back to the balance');
  });
});

describe('a chain that is not complete', () => {
  test('without any event of its dispatch cannot be told', () => {
    const verdict = verdictOf(chain('UPDATE_RECEIVED', 'QUEUE_ENQUEUE'), 'en');
    expect(verdict).toMatchObject({ cause: 'cannot_tell', confidence: 'low' });
    expect(verdict.missing).toEqual([
      expect.stringContaining('QUEUE_PICK'),
      expect.stringContaining('one instance'),
    ]);
  });

  test('that only tells of the receipt cannot be told', () => {
    expect(verdictOf(chain('UPDATE_RECEIVED'), 'en')).toMatchObject({
      cause: 'cannot_tell',
      confidence: 'low',
      missing: [expect.stringContaining('QUEUE_ENQUEUE')],
    });
  });

  test('that was picked and has no end cannot be told, while nobody knows the time of asking', () => {
    expect(verdictOf(chain(...tapped), 'en')).toMatchObject({ cause: 'cannot_tell', confidence: 'low' });
  });

  test('whose refusal has no end is told less surely', () => {
    expect(verdictOf(chain(...tapped, received, mismatch), 'en')).toMatchObject({
      cause: 'wrong_screen',
      confidence: 'medium',
      missing: [expect.stringContaining('DISPATCH_OK')],
    });
  });

  test('of warnings only is told less surely', () => {
    expect(verdictOf(chain(mismatch), 'en')).toMatchObject({ cause: 'wrong_screen', confidence: 'medium' });
  });

  test('whose failed generation has lost its reason is never told as one that runs', () => {
    const verdict = verdictOf(
      chain(
        ...tapped,
        created,
        held,
        done,
        ['TASK_PROGRESS', { ...task, operation: 'submitted' }],
        ['BALANCE_RELEASE', { ...task, amount: 1_250 }],
      ),
      'en',
    );
    expect(verdict).toMatchObject({ cause: 'generation_failed', confidence: 'low' });
  });

  test('without any event cannot be told', () => {
    const span = {
      traceId,
      spanId: '1',
      parentSpanId: undefined,
      name: 'update message',
      startedAt: after(0),
      durationMs: 3,
      failed: false,
    };
    expect(verdictOf(chainWith([span]), 'en')).toMatchObject({ cause: 'cannot_tell', confidence: 'low' });
  });
});

describe('the surroundings of a chain', () => {
  const waiting = chain('UPDATE_RECEIVED', 'QUEUE_ENQUEUE');
  const running = chain(...tapped);

  test.each([
    { what: 'no ACTIVE instance', surroundings: { hasActiveInstance: false }, cause: 'queue_without_active' },
    { what: 'a queue that stands still', surroundings: { oldestUnpickedMs: 90_000 }, cause: 'queue_stuck' },
  ])('tell why nobody has picked it: $what', ({ surroundings, cause }) => {
    expect(verdictOf(waiting, 'en', surroundings).cause).toBe(cause);
  });

  test.each([
    { what: 'the time of asking', surroundings: { now: after(5_000) }, cause: 'still_running' },
    {
      what: 'a lost lock',
      surroundings: { processEvents: [processEvent('LOCK_LOST', 200)] },
      cause: 'lock_lost',
    },
    {
      what: 'a failing database',
      surroundings: { processEvents: [processEvent('SYSTEM_WARNING', 200, { reason_code: 'DB_ERROR' })] },
      cause: 'database_lost',
    },
    {
      what: 'a stop',
      surroundings: { processEvents: [processEvent('SHUTDOWN', 900)] },
      cause: 'instance_ended',
    },
    {
      what: 'a successor',
      surroundings: { processEvents: [processEvent('LOCK_ACQUIRED', 900, { instance_id: 'trt-2' })] },
      cause: 'instance_ended',
    },
  ])('tell why it has no end: $what', ({ surroundings, cause }) => {
    expect(verdictOf(running, 'en', surroundings)).toMatchObject({ cause, confidence: 'medium' });
  });

  test.each([
    ['of another instance', processEvent('LOCK_LOST', 200, { instance_id: 'trt-2' })],
    ['of another time', processEvent('LOCK_LOST', 600_000)],
  ])('prove nothing when a lost lock is %s', (_what, event) => {
    expect(verdictOf(running, 'en', { processEvents: [event] }).cause).toBe('cannot_tell');
  });

  test('are named with what happened, and only where it was at that time', () => {
    const processEvents = [
      processEvent('SHUTDOWN', -200_000, { operation: 'SIGKILL' }),
      processEvent('SHUTDOWN', 900, { operation: 'SIGTERM' }),
      processEvent('BOOT_OK', 5_000, { operation: 'single', instance_id: 'trt-2' }),
    ];
    const verdict = verdictOf(running, 'en', { processEvents });
    expect(verdict).toMatchObject({ cause: 'instance_ended', confidence: 'medium' });
    expect(verdict.sentence).toContain(
      'the instance stopped at that time (near in time: SHUTDOWN SIGTERM, BOOT_OK single)',
    );
    expect(verdictOf(running, 'ru', { processEvents }).sentence).toContain(
      'остановился (рядом по времени: SHUTDOWN SIGTERM, BOOT_OK single)',
    );
  });

  const databaseAway = { operation: 'database connection', reason_code: 'DB_ERROR' };

  test.each([
    {
      what: 'the lock was lost',
      events: [processEvent('LOCK_LOST', 5_000)],
      cause: 'unpicked_in_replacement',
    },
    {
      what: 'its instance ended, ACTIVE to the last',
      events: [processEvent('SHUTDOWN', 900, { bot_state: 'ACTIVE' })],
      cause: 'unpicked_in_replacement',
    },
    {
      what: 'the database failed',
      events: [processEvent('SYSTEM_WARNING', 900, databaseAway)],
      cause: 'unpicked_in_outage',
    },
    {
      what: 'another instance had come in the place of the first',
      events: [
        processEvent('LOCK_RELEASED', 100),
        processEvent('LOCK_ACQUIRED', 150, { instance_id: 'trt-2' }),
        processEvent('SHUTDOWN', 900, { bot_state: 'STOPPING' }),
      ],
      cause: 'cannot_tell',
    },
    {
      what: 'one that did not work stopped',
      events: [processEvent('SHUTDOWN', 900, { bot_state: 'PASSIVE', instance_id: 'trt-2' })],
      cause: 'cannot_tell',
    },
  ])('tell why nobody has picked it when $what', ({ events: processEvents, cause }) => {
    const verdict = verdictOf(waiting, 'en', { processEvents });
    expect(verdict.cause).toBe(cause);
    expect(verdict.confidence).not.toBe('high');
  });

  const late = chain(
    'UPDATE_RECEIVED',
    'QUEUE_ENQUEUE',
    ['QUEUE_PICK', { latency_ms: 8_000 }],
    ['DISPATCH_OK', { result: 'accepted', reason_code: 'SUCCESS', latency_ms: 8_010, duration_ms: 9 }],
  );

  test.each([
    ['its instance became ACTIVE', processEvent('LOCK_ACQUIRED', -5_000), 'waited_for_replacement', 'medium'],
    [
      'its database failed',
      processEvent('SYSTEM_WARNING', -5_000, databaseAway),
      'waited_for_database',
      'medium',
    ],
    [
      'another instance became ACTIVE',
      processEvent('LOCK_ACQUIRED', -5_000, { instance_id: 'trt-2' }),
      'waited_in_queue',
      'high',
    ],
    ['nothing happened before', processEvent('LOCK_ACQUIRED', -20_000), 'waited_in_queue', 'high'],
  ] as const)('tell what it waited for: %s', (_what, event, cause, confidence) => {
    expect(verdictOf(late, 'en', { processEvents: [event] })).toMatchObject({ cause, confidence });
  });

  const failed = chain(...tapped, [
    'DISPATCH_FAIL',
    { result: 'failed', reason_code: 'INTERNAL_ERROR', error_type: 'Error', error_message: 'no row' },
  ]);

  test('make a defect less sure where the database failed at the same time', () => {
    expect(verdictOf(failed, 'en')).toMatchObject({ cause: 'handler_failed', confidence: 'high' });
    const processEvents = [processEvent('SYSTEM_WARNING', -2_000, databaseAway)];
    const verdict = verdictOf(failed, 'en', { processEvents });
    expect(verdict).toMatchObject({ cause: 'failed_in_outage', confidence: 'medium' });
    expect(verdict.sentence).toContain('(Error: no row)');
    expect(verdict.sentence).toContain('SYSTEM_WARNING database connection');
    const elsewhere = processEvent('SYSTEM_WARNING', -2_000, { ...databaseAway, instance_id: 'trt-2' });
    expect(verdictOf(failed, 'en', { processEvents: [elsewhere] }).cause).toBe('handler_failed');
  });

  test('name what brought the attempts of a dead letter down', () => {
    const given = chain('UPDATE_RECEIVED', 'QUEUE_ENQUEUE', 'QUEUE_PICK', [
      'DEAD_LETTER',
      { reason_code: 'INTERNAL_ERROR' },
    ]);
    const processEvents = [processEvent('LOCK_LOST', 10, { operation: 'heartbeat' })];
    expect(verdictOf(given, 'en', { processEvents })).toMatchObject({
      cause: 'dead_letter',
      confidence: 'high',
      sentence: expect.stringContaining('(near in time: LOCK_LOST heartbeat)'),
    });
  });

  test('are not needed where the update itself tells that it was not stored', () => {
    const refused = chain('UPDATE_RECEIVED', [
      'SYSTEM_WARNING',
      { operation: 'store update', reason_code: 'DB_ERROR', error_type: 'ECONNRESET' },
    ]);
    expect(verdictOf(refused, 'en')).toMatchObject({ cause: 'not_stored', confidence: 'high', missing: [] });
  });

  test('make it likely that an update was not stored', () => {
    const processEvents = [processEvent('SYSTEM_WARNING', 50, { reason_code: 'DB_ERROR' })];
    expect(verdictOf(chain('UPDATE_RECEIVED'), 'en', { processEvents })).toMatchObject({
      cause: 'not_stored_presumably',
      confidence: 'medium',
    });
  });
});

describe('a fault that outweighs what else is in the chain', () => {
  test('is the failed generation, not the screen that was shown before it', () => {
    const lost = chain(
      ...tapped,
      created,
      done,
      ['TASK_COMPLETED', task],
      ['DELIVERY_FAILED', { ...task, operation: 'result', error_type: 'DOWNLOAD_FAILED', position: 1 }],
      ['RESULT_DELIVERED', { ...task, operation: 'failure' }],
    );
    expect(verdictOf(lost, 'en')).toMatchObject({ cause: 'delivery_file_missing', confidence: 'high' });
  });

  test.each([
    [
      'a result',
      ['DELIVERY_FAILED', { ...task, operation: 'result', error_type: 'SPOOL_FAILED' }],
      'delivery_disk',
    ],
    [
      'an input file',
      ['TASK_FAILED', { ...task, reason_code: 'INTERNAL_ERROR', error_type: 'SPOOL_FAILED' }],
      'input_file_disk',
    ],
  ] as const)('is the disk of the bot that did not take %s', (_what, event, cause) => {
    const verdict = verdictOf(chain(...tapped, created, done, event), 'en');
    expect(verdict.cause).toBe(cause);
  });

  test('is not a delivery that was tried again and succeeded', () => {
    const place = { ...task, operation: 'result', position: 1 };
    const late = chain(
      ...tapped,
      created,
      done,
      ['TASK_COMPLETED', task],
      ['DELIVERY_FAILED', { ...place, error_type: 'telegram_502', next_attempt: 'scheduled' }],
      ['RESULT_DELIVERED', { ...place, latency_ms: 9_000 }],
    );
    expect(verdictOf(late, 'en')).toMatchObject({ cause: 'delivered', confidence: 'high' });
  });

  test('is not the slowness that the silence guard bridged', () => {
    const slow = chain(
      ...tapped,
      ['SILENCE_GUARD_WARNING', { detail_code: 'handler_slow', reason_detail: 'in other words' }],
      ['DISPATCH_OK', { result: 'accepted', reason_code: 'SUCCESS', latency_ms: 9_000, duration_ms: 9_000 }],
    );
    expect(verdictOf(slow, 'en').cause).toBe('slow_work');
  });

  test('is what the silence guard found otherwise', () => {
    const silent = chain(
      ...tapped,
      ['SILENCE_GUARD_WARNING', { detail_code: 'no_conclusion', reason_detail: 'in other words' }],
      [
        'DISPATCH_FAIL',
        { reason_code: 'INTERNAL_ERROR', error_type: 'Error', error_message: 'no conclusion' },
      ],
    );
    expect(verdictOf(silent, 'en')).toMatchObject({ cause: 'silence_guard', confidence: 'high' });
  });
});

describe('a click without any trace', () => {
  const well = { minutesWithoutUpdate: 0, hasActiveInstance: true, webhookPending: 0, oldestUnpickedMs: 0 };
  test.each([
    { surroundings: { isDatabaseUp: false }, cause: 'database_down', confidence: 'high' },
    {
      surroundings: { webhookError: 'Wrong response from the webhook: 401', webhookPending: 12 },
      cause: 'webhook_failing',
      confidence: 'high',
    },
    { surroundings: { ...well, hasActiveInstance: false }, cause: 'no_active_instance', confidence: 'high' },
    { surroundings: { ...well, oldestUnpickedMs: 300_000 }, cause: 'queue_stuck', confidence: 'high' },
    { surroundings: { ...well, minutesWithoutUpdate: 40 }, cause: 'nothing_received', confidence: 'medium' },
    { surroundings: well, cause: 'click_never_arrived', confidence: 'medium' },
    // An error of the past, and nothing waits.
    {
      surroundings: { webhookError: 'Connection refused', webhookPending: 0 },
      cause: 'cannot_tell',
      confidence: 'low',
    },
    {
      surroundings: { ...well, webhookError: 'Connection refused', webhookPending: 0 },
      cause: 'click_never_arrived',
      confidence: 'medium',
    },
    { surroundings: {}, cause: 'cannot_tell', confidence: 'low' },
  ])('is told as $cause', ({ surroundings, cause, confidence }) => {
    for (const locale of ['ru', 'en'] as const) {
      const verdict = verdictOfNothing(surroundings, locale);
      expect(verdict).toMatchObject({ cause, confidence });
      expect(verdict.sentence.match(/\.(?=\s|$)/g)).toHaveLength(1);
    }
  });

  test('says what would have to be known', () => {
    expect(verdictOfNothing({}, 'en').missing).toHaveLength(4);
    expect(verdictOfNothing(well, 'en').missing).toEqual([]);
  });
});
