import { describe, expect, test, vi } from 'vitest';
import type { KieClient } from '../../src/kie/client.ts';
import { useClient } from './client-fixture.ts';
import { closedUrl } from './loopback-server.ts';
import { rejectionOf } from './rejection.ts';
import type { Reply } from './scripted-host.ts';

const kie = useClient();
const order = { api: 'market', vendorModel: 'z-image', input: { prompt: 'a red fox' } } as const;
const accepted = { code: 200, data: { taskId: 'abc' } } as const;
/** So long that no test sees its end. */
const forEver = { failuresToOpen: 3, firstPauseMs: 600_000, longestPauseMs: 600_000 };
const brief = { failuresToOpen: 3, firstPauseMs: 1, longestPauseMs: 1 };

async function fail(client: KieClient, times: number, reply: Reply = 'reset'): Promise<void> {
  for (let count = 0; count < times; count++) {
    kie.api.next(reply);
    await rejectionOf(client.submit(order));
  }
}

function paths(): readonly string[] {
  return kie.api.received().map(({ url }) => url.pathname);
}

/** The lines of the two events about the host. */
function news(): readonly Record<string, unknown>[] {
  return kie.recorded.lines.filter(({ name }) => name === 'SUPPLIER_DOWN' || name === 'SUPPLIER_UP');
}

/** Pauses are of one millisecond: they have passed when the clock shows another one. */
async function pauseOver(): Promise<void> {
  const begunAt = Date.now();
  while (Date.now() - begunAt < 2) await new Promise(resolve => setImmediate(resolve));
}

describe('the circuit opens', () => {
  test.each(['reset', 'garble', 'break-off', { code: 500 }, { code: 502, httpStatus: 502 }] as const)(
    'after as many answers %j in a row as allowed, and not before',
    async reply => {
      const client = kie.clientOf({ breaker: forEver });
      await fail(client, 2, reply);
      expect(client.breakerState()).toBe('closed');
      await fail(client, 1, reply);
      expect(client.breakerState()).toBe('open');
    },
  );

  test('when nobody listens, with calls of all kinds counted together', async () => {
    const client = kie.clientOf({ apiUrl: await closedUrl(), breaker: { ...forEver, failuresToOpen: 5 } });
    await rejectionOf(client.submit(order));
    // Four tries.
    await rejectionOf(client.status('veo', 'abc'));
    expect(client.breakerState()).toBe('open');
  });

  test.each([400, 401, 402, 422, 429, 433, 451, 455, 501, 505])(
    'not after refusals with %i, which show that the host is well',
    async code => {
      const client = kie.clientOf({ breaker: forEver });
      await fail(client, 2);
      await fail(client, 5, { code });
      await fail(client, 2);
      expect(client.breakerState()).toBe('closed');
    },
  );
});

describe('while it is open', () => {
  test('an order is not reached, retryable, and certainly not sent', async () => {
    const client = kie.clientOf({ breaker: forEver });
    await fail(client, 3);
    const error = await rejectionOf(client.submit(order));
    expect(error).toMatchObject({ code: 'KIE_NOT_REACHED', retryable: true, details: { circuit: 'open' } });
    expect(kie.api.received()).toHaveLength(3);
  });

  test('a look-up fails at once, without repetition', async () => {
    const client = kie.clientOf({ breaker: forEver });
    await fail(client, 3);
    const error = await rejectionOf(client.status('market', 'abc'));
    expect(error).toMatchObject({ code: 'KIE_NOT_REACHED', retryable: true, details: { circuit: 'open' } });
    expect(kie.spans().at(-1)?.attributes).not.toHaveProperty('http.request.resend_count');
    expect(kie.api.received()).toHaveLength(3);
  });
});

describe('after its pause', () => {
  test('a free call goes before the order, and closes it', async () => {
    const client = kie.clientOf({ breaker: brief });
    await fail(client, 3);
    await pauseOver();
    kie.api.next({ code: 200, data: 5 });
    kie.api.otherwise(accepted);
    await client.submit(order);
    expect(paths().slice(3)).toEqual(['/api/v1/chat/credit', '/api/v1/jobs/createTask']);
    expect(client.breakerState()).toBe('closed');
  });

  test('an order is not sent when the probe fails', async () => {
    const client = kie.clientOf({ breaker: brief });
    await fail(client, 3);
    await pauseOver();
    kie.api.next('garble');
    const error = await rejectionOf(client.submit(order));
    expect(error).toMatchObject({ code: 'KIE_NOT_REACHED', retryable: true });
    expect(paths().slice(3)).toEqual(['/api/v1/chat/credit']);
    expect(client.breakerState()).toBe('open');
  });

  test('a refusal of the probe closes it as well', async () => {
    const client = kie.clientOf({ breaker: brief });
    await fail(client, 3);
    await pauseOver();
    kie.api.next({ code: 402 });
    kie.api.otherwise(accepted);
    await client.submit(order);
    expect(client.breakerState()).toBe('closed');
  });

  test('one call probes, and the others do not wait for it', async () => {
    const client = kie.clientOf({ breaker: brief, timeoutMs: 600 });
    await fail(client, 3);
    await pauseOver();
    const probing = rejectionOf(client.status('market', 'abc'));
    await vi.waitFor(() => expect(kie.api.received()).toHaveLength(4));
    expect(client.breakerState()).toBe('half_open');
    const error = await rejectionOf(client.submit(order));
    expect(error.details).toEqual({ circuit: 'open' });
    // The probe hangs until its deadline.
    await probing;
    expect(paths().slice(3)).not.toContain('/api/v1/jobs/createTask');
  });
});

describe('the operator', () => {
  test('has one event that says that the host is down, with its name and the count, and once that it is back', async () => {
    const client = kie.clientOf({ breaker: brief });
    await fail(client, 3);
    for (let count = 0; count < 2; count++) {
      await pauseOver();
      kie.api.next('reset');
      await rejectionOf(client.submit(order));
    }
    expect(news()).toMatchObject([
      { name: 'SUPPLIER_DOWN', level: 'ERROR', reason_code: 'DOWNSTREAM_ERROR' },
    ]);
    expect(news()[0]?.error_message).toMatch(/^127\.0\.0\.1 failed 3 times in a row, last with \w+;/);

    await pauseOver();
    kie.api.otherwise(accepted);
    await client.submit(order);
    expect(news().slice(1)).toMatchObject([
      { name: 'SUPPLIER_UP', level: 'INFO', reason_detail: '127.0.0.1 answers again' },
    ]);
    expect(news()[1]?.duration_ms).toBeGreaterThan(0);
  });

  test('has another event when it goes down again', async () => {
    const client = kie.clientOf({ breaker: brief });
    await fail(client, 3);
    await pauseOver();
    kie.api.next({ code: 200, data: 5 }, accepted);
    await client.submit(order);
    await fail(client, 3);
    expect(news().map(({ name }) => name)).toEqual(['SUPPLIER_DOWN', 'SUPPLIER_UP', 'SUPPLIER_DOWN']);
  });
});
