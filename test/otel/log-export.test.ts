// The thread that exports lines to a collector dies: the program goes on, what does not go out is counted, and another
// thread takes over.
import type { Worker } from 'node:worker_threads';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { createLogExport } from '../../src/otel/log-export.ts';
import { waitFor } from '../support/bot.ts';

const line = '{"level":30,"time":1,"msg":"a line"}\n';

test('a thread that dies ends nothing; its lines are counted, and another one follows', async () => {
  const threads: Worker[] = [];
  const onThread = (thread: Worker): void => void threads.push(thread);
  process.on('worker', onThread);
  onTestFinished(() => void process.off('worker', onThread));
  const ended: (Error | undefined)[] = [];
  const resumed: number[] = [];
  const logExport = createLogExport({
    serviceName: 'test',
    serviceVersion: '1',
    restartMs: 200,
    onEnded: reason => ended.push(reason),
    onResumed: lines => resumed.push(lines),
  });
  const logger = pino({}, logExport);
  logger.info('one');
  const first = await waitFor('a thread', () => threads[0]);
  await first.terminate();
  await waitFor('the end of the thread', () => ended.length > 0 || undefined);
  const before = logExport.dropped();
  logExport.write(line);
  logExport.write(line);
  await waitFor('another thread', () => resumed[0]);
  expect(resumed).toEqual([2]);
  logExport.write(line);
  expect(logExport.dropped()).toBe(before + 2);
  await logExport.stop(10_000);
  expect([threads.length, ended.length]).toEqual([2, 1]);
  // What comes after the end is dropped as well, and ends nothing.
  logExport.write(line);
  expect(logExport.dropped()).toBe(before + 3);
});
