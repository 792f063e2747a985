// What log searches rely on: the names of the fields, the literals in `msg`, the same fields as key=value with
// LOG_FORMAT=kv, and the second stream to an OTLP receiver, beside which stdout still has every line.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type BotUnderTest, startBot, waitFor } from '../support/bot.ts';
import { startProgram, startSurroundings } from '../support/process.ts';

const levels = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];

test('a JSON line has the names of the vocabulary and a msg with the literals that are searched for', async () => {
  await using bot = await startBot();
  const { accepted, refused } = await tapTwice(bot);

  for (const line of bot.lines) {
    expect(line).toMatchObject({
      ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: expect.toBeOneOf(levels),
      name: expect.stringMatching(/^[A-Z_]+$/),
      cid: expect.stringMatching(/^[0-9a-f]{8}$/),
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
      trace_flags: expect.toBeOneOf([0, 1]),
      domain: expect.stringMatching(/^[A-Z]+$/),
      bot_state: 'ACTIVE',
      instance_id: expect.stringMatching(/^trt-[0-9a-f]{8}$/),
    });
    const reason = line.reason_code === undefined ? '' : ` reason_code=${line.reason_code}`;
    expect(line.msg).toBe(`${line.name} cid=${line.cid} domain=${line.domain}${reason}`);
    for (const foreign of ['time', 'pid', 'hostname', 'severity']) expect(line).not.toHaveProperty(foreign);
  }
  for (const line of bot.output) expect(line.match(/\n/g)).toEqual(['\n']);
  expect(bot.linesOf(accepted).map(({ reason_code }) => reason_code)).toContain('SUCCESS');
  expect(search(bot, `cid=${refused}`)).toHaveLength(bot.linesOf(refused).length);
  expect(search(bot, 'reason_code=STATE_MISMATCH').length).toBeGreaterThan(0);
  expect(search(bot, 'reason_code=NO_SUCH_REASON')).toEqual([]);
});

test('LOG_FORMAT=kv has the same fields as JSON, and the same searches hit', async () => {
  await using json = await startBot();
  await using kv = await startBot({ environment: { LOG_FORMAT: 'kv' } });
  const { refused } = await tapTwice(json);
  // Here no lines are parsed, so there is no cid to wait for.
  await tapsOf(kv);
  await waitFor('the refusal', () => search(kv, 'name=DISPATCH_OK').length === 3 || undefined);

  const fieldsOf = (line: string): string[] => [...parseKeyValue(line).keys()];
  const shapes = kv.output.map(line => [parseKeyValue(line).get('name'), fieldsOf(line).toSorted()]);
  const expected = json.lines.map(line => [line.name, Object.keys(line).toSorted()]);
  expect(shapes.toSorted(byText)).toEqual(expected.toSorted(byText));

  const rejected = search(kv, 'name=CALLBACK_REJECTED').map(parseKeyValue);
  const [cid] = rejected.map(fields => fields.get('cid'));
  expect(rejected.map(fields => fields.get('msg'))).toEqual([
    `CALLBACK_REJECTED cid=${cid} domain=UX reason_code=STATE_MISMATCH`,
  ]);
  expect(search(kv, `cid=${cid}`)).toHaveLength(search(json, `cid=${refused}`).length);
  expect(search(kv, 'reason_code=STATE_MISMATCH')).toHaveLength(
    search(json, 'reason_code=STATE_MISMATCH').length,
  );
});

test('OTEL_LOGS_EXPORTER=otlp sends every line to the receiver too, and stdout has them all', async () => {
  await using receiver = await startLogReceiver();
  await using surroundings = await startSurroundings();
  await using program = await startProgram({
    ...surroundings.environment,
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${receiver.url}/v1/logs`,
    OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'http/json',
  });
  const user = surroundings.user();
  user.start();
  await user.waitForMessage(/What shall we create/);
  const tap = user.click('🎨 Pictures');
  const cid = await program.cidOf(tap.updateId);
  await program.waitForLine(line => line.cid === cid && line.name === 'DISPATCH_OK');
  await program.stop();

  const written = program.lines.filter(line => line.name !== 'SHUTDOWN').map(({ msg }) => msg);
  expect(written.length).toBeGreaterThan(10);
  expect(program.lines.at(-1)?.name).toBe('SHUTDOWN');
  expect(receiver.records.map(({ body }) => body).filter(body => !body.startsWith('SHUTDOWN'))).toEqual(
    written,
  );
  const received = receiver.records.find(({ body }) => body === `CALLBACK_RECEIVED cid=${cid} domain=UX`);
  const line = program.lines.find(each => each.cid === cid && each.name === 'CALLBACK_RECEIVED');
  expect(received).toMatchObject({
    severityNumber: 9,
    traceId: line?.trace_id,
    spanId: line?.span_id,
    attributes: { name: 'CALLBACK_RECEIVED', cid, domain: 'UX', button_id: line?.button_id },
  });
  expect(program.stderr).toBe('');
});

/** One accepted tap and one that the current screen does not have; resolves with their cids. */
async function tapTwice(bot: BotUnderTest): Promise<{ accepted: string; refused: string }> {
  const { accepted, refused } = await tapsOf(bot);
  const cids = { accepted: await bot.cidOf(accepted), refused: await bot.cidOf(refused) };
  await bot.waitForEvent(cids.refused, 'DISPATCH_OK');
  return cids;
}

async function tapsOf(bot: BotUnderTest): Promise<{ accepted: number; refused: number }> {
  const user = bot.user();
  user.start();
  await user.waitForMessage(/What shall we create/);
  const accepted = user.click('🎨 Pictures');
  const models = await user.waitForMessage(/Choose a model/);
  const model = models.keyboard.flat().find(({ text }) => text.startsWith('Z-Image · '));
  // A button of the model's own screen, which is not shown yet.
  const refused = user.rawCallback(String(model?.data).replace(':mod:', ':new:'));
  await user.answerOf(refused);
  return { accepted: accepted.updateId, refused: refused.updateId };
}

/** What `grep -F` finds. */
function search(bot: BotUnderTest, literal: string): string[] {
  return bot.output.filter(line => line.includes(literal));
}

/** logfmt, read independently of the code that writes it: bare or in JSON string syntax. */
function parseKeyValue(line: string): Map<string, string> {
  expect(line.trimEnd()).toMatch(/^(?:[a-z_]+=(?:"(?:[^"\\]|\\.)*"|[^\s"=]+)(?: |$))+$/);
  return new Map(
    [...line.matchAll(/([a-z_]+)=("(?:[^"\\]|\\.)*"|[^\s"=]+)/g)].map(([, name = '', value = '']) => [
      name,
      value.startsWith('"') ? JSON.parse(value) : value,
    ]),
  );
}

function byText(left: unknown, right: unknown): number {
  return JSON.stringify(left) < JSON.stringify(right) ? -1 : 1;
}

const valueSchema = z.union([
  z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
  z.object({ intValue: z.union([z.string(), z.number()]) }).transform(({ intValue }) => Number(intValue)),
  z.unknown(),
]);
const exportSchema = z.object({
  resourceLogs: z.array(
    z.object({
      scopeLogs: z.array(
        z.object({
          logRecords: z.array(
            z.object({
              body: z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
              severityNumber: z.number(),
              traceId: z.string().optional(),
              spanId: z.string().optional(),
              attributes: z
                .array(z.object({ key: z.string(), value: valueSchema }))
                .transform(list => Object.fromEntries(list.map(({ key, value }) => [key, value]))),
            }),
          ),
        }),
      ),
    }),
  ),
});
type LogRecord = z.infer<
  typeof exportSchema
>['resourceLogs'][number]['scopeLogs'][number]['logRecords'][number];

interface LogReceiver extends AsyncDisposable {
  readonly url: string;
  readonly records: readonly LogRecord[];
}

/** Takes what an OTLP/HTTP exporter posts as JSON. */
async function startLogReceiver(): Promise<LogReceiver> {
  const records: LogRecord[] = [];
  const server = createServer(async (request, response) => {
    const { resourceLogs } = exportSchema.parse(JSON.parse(await textOf(request)));
    for (const { scopeLogs } of resourceLogs)
      for (const { logRecords } of scopeLogs) records.push(...logRecords);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  // SAFETY: a server that listens on a TCP port has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    records,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
