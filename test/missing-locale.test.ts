// What the types say to a language that is put into the list and nowhere else: each file that has texts is named, and no
// other has to be touched. Fluent files are no types; test/ui/texts.test.ts names what is missing in them.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const listFile = `${root}src/locales.ts`;

test('a language without texts does not compile, and only files of texts are missing it', () => {
  const problems = problemsWith(readFileSync(listFile, 'utf8').replace("['ru', 'en']", "['ru', 'en', 'eo']"));
  // Other messages follow from these: what does not compile has no type.
  const missing = problems.filter(({ message }) => /\beo\b/.test(message));
  const files = new Set(missing.map(({ file }) => file.replace(/^src\/diagnosis\/.*/, 'src/diagnosis/')));
  expect([...files].sort()).toEqual([
    'src/catalogue/labels.ts',
    'src/catalogue/search.ts',
    'src/diagnosis/',
    'src/locales.ts',
    'src/otel/reasons.ts',
  ]);
});

/** What the compiler says of src with this text in the place of src/locales.ts. */
function problemsWith(list: string): { readonly file: string; readonly message: string }[] {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent({ ...config, include: ['src'] }, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { readFile } = host;
  host.readFile = file => (file === listFile ? list : readFile(file));
  const program = ts.createProgram(fileNames, { ...options, incremental: false }, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => ({
    file: relative(root, file?.fileName ?? ''),
    message: ts.flattenDiagnosticMessageText(messageText, '\n'),
  }));
}
