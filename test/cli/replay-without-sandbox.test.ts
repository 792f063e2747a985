// The production image holds no sandbox: `trt` works there, and `trt replay` says where it would.
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('without the sandbox trt replay says where it can be run, and other commands go on working', async () => {
  const image = await mkdtemp(join(tmpdir(), 'trt-image-'));
  try {
    await cp(join(root, 'src'), join(image, 'src'), { recursive: true });
    await cp(join(root, 'package.json'), join(image, 'package.json'));
    await symlink(join(root, 'node_modules'), join(image, 'node_modules'));
    const trt = (...words: string[]) =>
      promisify(execFile)(process.execPath, ['src/cli/main.ts', ...words], { cwd: image });
    await expect(trt('help')).resolves.toMatchObject({ stdout: expect.stringContaining('trt trace') });
    await expect(trt('replay', 'abcdef123456')).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^trt replay needs the sandbox, .* Run it in a clone of the release/),
    });
  } finally {
    await rm(image, { recursive: true });
  }
});
