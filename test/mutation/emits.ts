// Leaves out one statement at a time that emits something, or hands on what was emitted, `telemetry.emit(…)` and its
// kind, and asks the tests whether they miss it.
// Stryker knows this mutant only for calls in which it finds nothing else to change. The files themselves are not
// touched: a statement is taken out as it is loaded. Ends with 1 when nobody missed one.
// `npm run mutate:emits -- src/bot/frame.ts:84` tries those of one line.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import ts from 'typescript';
import { createVitest, type Vitest } from 'vitest/node';

interface Statement {
  readonly file: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const root = path.resolve(import.meta.dirname, '../..');
const files = [
  'src/bot/frame.ts',
  'src/bot/parameter-events.ts',
  'src/otel/event-seam.ts',
  'src/otel/span-seam.ts',
  'src/otel/span-journal.ts',
  'src/otel/debug-level.ts',
  'src/otel/journal.ts',
];
const quickTests = ['test/bot/frame', 'test/otel/telemetry', 'test/otel/journal.', 'test/otel/debug-level'];
/** The calls that emit, or hand on what was emitted, by the last name of what is called. */
const emitting = /^(emit|annotate|warn|refused|add|end$|recordError|setAttribute)/;

function statementsOf(file: string): Statement[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: Statement[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression)) {
      const { expression: called } = node.expression;
      const name = ts.isPropertyAccessExpression(called) ? called.name.text : called.getText();
      if (emitting.test(name)) {
        const [start, end] = [node.getStart(), node.getEnd()];
        const line = source.getLineAndCharacterOfPosition(start).line + 1;
        found.push({ file, line, start, end, text: node.getText().replaceAll(/\s+/g, ' ') });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

let omitted: Statement | undefined;

async function openTests(): Promise<Vitest> {
  const omit = {
    name: 'omit-statement',
    enforce: 'pre',
    transform(code: string, id: string) {
      if (!omitted || id !== path.join(root, omitted.file)) return undefined;
      return `${code.slice(0, omitted.start)};${code.slice(omitted.end)}`;
    },
  } as const;
  return createVitest(
    'test',
    { root, config: 'test/mutation/vitest.config.ts', watch: false, bail: 1, reporters: [{}], maxWorkers: 2 },
    { plugins: [omit] },
  );
}

/** The first test that fails without the statement, among the quick ones if possible. */
async function missedBy(tests: Vitest, statement: Statement | undefined): Promise<string | undefined> {
  omitted = statement;
  if (statement) tests.invalidateFile(path.join(root, statement.file));
  try {
    return (await failing(tests, quickTests)) ?? (await failing(tests));
  } finally {
    if (statement) tests.invalidateFile(path.join(root, statement.file));
  }
}

async function failing(tests: Vitest, among?: string[]): Promise<string | undefined> {
  tests.state.filesMap.clear();
  const { testModules, unhandledErrors } = await tests.start(among);
  for (const module of testModules)
    for (const test of module.children.allTests('failed'))
      return `${module.relativeModuleId}: ${test.fullName}`;
  if (unhandledErrors.length > 0) return `unhandled: ${String(unhandledErrors[0])}`;
  return testModules.find(module => !module.ok())?.relativeModuleId;
}

process.chdir(root);
const wanted = process.argv.slice(2);
const statements = files
  .flatMap(statementsOf)
  .filter(
    ({ file, line }) => wanted.length === 0 || wanted.includes(file) || wanted.includes(`${file}:${line}`),
  );
const tests = await openTests();
try {
  const broken = await missedBy(tests, undefined);
  if (broken) throw new Error(`With all statements this fails: ${broken}`);
  const survivors: Statement[] = [];
  for (const statement of statements) {
    const startedAt = performance.now();
    const killer = await missedBy(tests, statement);
    if (!killer) survivors.push(statement);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    console.log(
      `${statement.file}:${statement.line} ${statement.text.slice(0, 70)}\n  ${seconds} s, ${killer ?? 'SURVIVED'}`,
    );
  }
  console.log(
    `Of ${statements.length} statements the tests miss ${statements.length - survivors.length} when they are left out`,
  );
  process.exitCode = survivors.length > 0 ? 1 : 0;
} finally {
  await tests.close();
}
