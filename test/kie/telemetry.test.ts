import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { useClient } from './client-fixture.ts';
import { rejectionOf } from './rejection.ts';

const kie = useClient();
const order = { api: 'market', vendorModel: 'z-image', input: { prompt: 'a red fox' } } as const;

test('a call is one client span that names the endpoint and the codes', async () => {
  kie.api.next(
    { code: 200, data: { taskId: 'abc' } },
    { code: 200, data: { successFlag: 0 } },
    { code: 200, data: 5 },
  );
  kie.files.next({ code: 200, data: { downloadUrl: 'https://files.example/a' } });
  await kie.client.submit(order);
  await kie.client.status('veo', 'abc');
  await kie.client.creditsLeft();
  await kie.client.upload({ content: Buffer.from('x'), mimeType: 'image/png' });
  const span = (name: string, method: string, path: string, more = {}): object => ({
    name,
    kind: SpanKind.CLIENT,
    status: { code: SpanStatusCode.UNSET },
    attributes: {
      'server.address': '127.0.0.1',
      'http.request.method': method,
      'url.path': path,
      'http.response.status_code': 200,
      'kie.code': 200,
      ...more,
    },
  });
  expect(kie.spans()).toMatchObject([
    span('kie createTask', 'POST', '/api/v1/jobs/createTask', { 'kie.api': 'market' }),
    span('kie recordInfo', 'GET', '/api/v1/veo/record-info', { 'kie.api': 'veo' }),
    span('kie credits', 'GET', '/api/v1/chat/credit'),
    span('kie upload', 'POST', '/api/file-stream-upload'),
  ]);
});

test('a failed call marks its span with the code of the error and the code of KIE', async () => {
  kie.api.next({ code: 402 });
  await rejectionOf(kie.client.submit(order));
  expect(kie.spans()).toMatchObject([
    {
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': 'KIE_REFUSED', 'http.response.status_code': 200, 'kie.code': 402 },
    },
  ]);
});
