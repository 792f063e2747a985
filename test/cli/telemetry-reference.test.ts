import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { telemetryReference } from '../../src/cli/telemetry-reference.ts';
import { trt } from '../support/trt.ts';

test('trt telemetry-reference prints the reference, or writes it into the file', async () => {
  expect(await trt({}, 'telemetry-reference')).toEqual({
    code: 0,
    output: telemetryReference(),
    complaint: '',
  });
  const folder = await mkdtemp(path.join(tmpdir(), 'trt-reference-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'telemetry.md');
  expect(await trt({}, 'telemetry-reference', file)).toMatchObject({ code: 0, output: '' });
  expect(await readFile(file, 'utf8')).toBe(telemetryReference());
});

test('more than one file makes no sense', async () => {
  expect(await trt({}, 'telemetry-reference', 'one.md', 'two.md')).toMatchObject({ code: 2 });
});
