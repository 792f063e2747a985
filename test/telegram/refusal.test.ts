// Why a call to the Bot API was not done, in words for operators: an outage of the network is not called a lack of time.
import { HttpError } from 'grammy';
import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { refusalOf } from '../../src/telegram/refusal.ts';

test.each([
  {
    what: 'no time or connection was left',
    cause: new AppError({ code: 'TELEGRAM_NOT_ASKED', message: 'No connection was free within 100 ms' }),
    detail: 'there was no time or no connection left to ask Telegram',
    unheard: false,
  },
  {
    what: 'the connection was not made in time',
    cause: Object.assign(new Error('Connect Timeout Error'), { code: 'UND_ERR_CONNECT_TIMEOUT' }),
    detail: 'Telegram could not be reached',
    unheard: false,
  },
  {
    what: 'the answer did not come in time',
    cause: Object.assign(new Error('Headers Timeout Error'), { code: 'UND_ERR_HEADERS_TIMEOUT' }),
    detail: 'Telegram did not answer in time',
    unheard: true,
  },
])('where $what, the detail says so', ({ cause, detail, unheard }) => {
  expect(refusalOf(new HttpError('The call failed', cause))).toMatchObject({
    reason: 'DOWNSTREAM_TIMEOUT',
    detail,
    unheard,
    retry: true,
  });
});
