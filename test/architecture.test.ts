// The house stands as it is drawn: each part has a storey in the import rules and a sentence in docs/architecture.md, an
// import that runs upwards is refused, and a file's name leads to one file.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { storeys } from '../.dependency-cruiser.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const parts = storeys.flat();

/** The same thing at two levels: a command and what it prints, a port and its adapter, a cause and what it is about. */
const atTwoLevels = [
  'catalogue.ts',
  'database.ts',
  'follow-up.ts',
  'input-files.ts',
  'journal.ts',
  'main.ts',
  'personal-data.ts',
  'reasons.ts',
  'timeline.ts',
];

test('each part of src has a storey, and each storey its part', async () => {
  const entries = await readdir(join(root, 'src'));
  expect(entries.map(entry => basename(entry, '.ts')).sort()).toEqual([...parts].sort());
});

test('each part has its sentence in docs/architecture.md, and no sentence is of a part that is gone', async () => {
  const text = await readFile(join(root, 'docs/architecture.md'), 'utf8');
  const table = text.slice(text.indexOf('| part |'), text.indexOf('## The way of an update'));
  const described = [...table.matchAll(/^\| `(\w+)/gm)].map(([, part]) => part);
  expect(described.filter(part => part !== 'sandbox').sort()).toEqual([...parts].sort());
});

test('each file that docs/architecture.md names is there', async () => {
  const text = await readFile(join(root, 'docs/architecture.md'), 'utf8');
  const named = [...text.matchAll(/`([\w-]+\/[\w/-]+\.(?:ts|sql|json))`/g)].map(([, file]) => file ?? '');
  expect(named.length).toBeGreaterThan(80);
  const isThere = (file: string) => ['.', 'src'].some(folder => existsSync(join(root, folder, file)));
  expect(named.filter(file => !isThere(file))).toEqual([]);
});

test('no two files of src have one name, unless they are the same thing at two levels', async () => {
  const files = await readdir(join(root, 'src'), { recursive: true });
  const named = Map.groupBy(
    files.filter(file => file.endsWith('.ts')),
    file => basename(file),
  );
  const twice = [...named].filter(([, those]) => those.length > 1).map(([name]) => name);
  expect(twice.sort()).toEqual(atTwoLevels);
});

describe('the import check', () => {
  test.each([
    { what: 'an import from a storey above', from: 'src/otel/line.ts', to: 'src/bot/turn.ts' },
    { what: 'an import from a neighbour', from: 'src/reception/tap.ts', to: 'src/delivery/album.ts' },
    { what: 'an import of the stand-ins', from: 'src/bot/turn.ts', to: 'sandbox/telegram/user.ts' },
    { what: 'a handler that reaches for the wire', from: 'src/handlers/help.ts', to: 'src/telegram/api.ts' },
    { what: 'a part without a storey', from: 'src/tools/text.ts', to: 'src/errors.ts' },
    { what: 'a stand-in that shares code with the bot', from: 'sandbox/kie/task.ts', to: 'src/kie/codes.ts' },
  ])('refuses $what', async ({ from, to }) => {
    const { code, output } = await checkImport(from, to);
    expect(output).toContain(`${from} → ${to}`);
    expect(code).not.toBe(0);
  });

  test('takes one from a storey below', async () => {
    expect(await checkImport('src/bot/turn.ts', 'src/telegram/api.ts')).toMatchObject({ code: 0 });
  });
});

/** Runs the check on two files of which the first imports the second. */
async function checkImport(from: string, to: string): Promise<{ code: number; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'trt-imports-'));
  try {
    for (const file of [from, to]) await mkdir(join(folder, dirname(file)), { recursive: true });
    for (const top of ['src', 'sandbox']) await mkdir(join(folder, top), { recursive: true });
    const path = '../'.repeat(from.split('/').length - 1) + to;
    await writeFile(join(folder, from), `import { one } from '${path}';\nexport const two = one + 1;\n`);
    await writeFile(join(folder, to), 'export const one = 1;\n');
    const args = [
      join(root, 'node_modules/.bin/depcruise'),
      '--config',
      join(root, '.dependency-cruiser.ts'),
      'src',
      'sandbox',
    ];
    try {
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
      return { code: 0, output: stdout };
    } catch (error) {
      const { code, stdout } = error as { code: number; stdout: string }; // SAFETY: what execFile rejects with.
      return { code, output: stdout };
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
