/** kill -9 of save and export at random moments: no half archive, no half directory, nothing left beside the output or in the store. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { canRunContainers, loadedHost } from '../host/loaded.ts';
import { chance, sampleOf, SEED } from './chance.ts';
import { expectNothingLeft } from './remains.ts';

/** Of each of the commands; those that find it gone already count for nothing. */
const KILLS = 8;
const OUT = '/tmp/out';

/** What is there is whole: the bytes are the same each time. */
const sameBytes =
  (digest: string) =>
  async (host: TestHost): Promise<void> => {
    if (existsSync(host.path(`${OUT}/file`))) expect(digestOfFile(host, 'file')).toBe(digest);
    expect(readdirSync(host.path(OUT)).filter((name) => name !== 'file')).toEqual([]);
  };

function digestOfFile(host: TestHost, name: string): string {
  return createHash('sha256')
    .update(readFileSync(host.path(`${OUT}/${name}`)))
    .digest('hex');
}

/** A directory either does not say that it is an image, or is one with all its blobs. */
async function wholeImage(host: TestHost): Promise<void> {
  const index = ['index.json', 'manifest.json'].find((name) => existsSync(host.path(`${OUT}/file/${name}`)));
  if (index === undefined) return;
  await host.succeed(['load', '--quiet', '--input', `${OUT}/file`]);
  const names = readdirSync(host.path(`${OUT}/file`), { recursive: true, encoding: 'utf8' });
  expect(names.filter((name) => name.includes('partial'))).toEqual([]);
}

test.skipIf(!canRunContainers)('what a killed save or export leaves is whole or not there', { timeout: 300_000 }, async () => {
  await using host = await loadedHost(['layered']);
  await host.run(['mkdir', '-p', OUT]);
  const container = await host.succeed(['create', '--network', 'none', 'layered', 'true']);
  const victims: readonly (readonly string[])[] = [
    ['save', '--quiet', '--output', `${OUT}/file`, 'layered'],
    ['save', '--quiet', '--format', 'oci-archive', '--output', `${OUT}/file`, 'layered'],
    ['save', '--quiet', '--format', 'oci-dir', '--output', `${OUT}/file`, 'layered'],
    ['save', '--quiet', '--format', 'docker-dir', '--output', `${OUT}/file`, 'layered'],
    ['export', '--output', `${OUT}/file`, container],
  ];
  for (const argv of victims) {
    const start = performance.now();
    await host.succeed(argv);
    const usualMs = performance.now() - start;
    const isDirectory = existsSync(host.path(`${OUT}/file/.`));
    const check = isDirectory ? wholeImage : sameBytes(digestOfFile(host, 'file'));
    const random = chance(argv.join(' '));
    const wanted = sampleOf(KILLS);
    for (let kills = 0, attempts = 0; kills < wanted; attempts++) {
      if (attempts > wanted * 5) throw new Error(`only ${kills} of ${attempts} kills of ${argv.join(' ')} met a living process`);
      rmSync(host.path(`${OUT}/file`), { recursive: true, force: true });
      const afterMs = (0.3 + 0.75 * random()) * usualMs;
      await using command = host.spawnLichen(argv);
      await delay(afterMs);
      command.signal('SIGKILL');
      if ((await command.finish()).exitCode === 128 + 9) kills++;
      try {
        await check(host);
        await host.succeed(['images', '--quiet']);
        expect(readdirSync(host.path(`${host.store}/tmp`))).toEqual([]);
      } catch (error) {
        throw new Error(`LICHEN_FAULT_SEED=${SEED}, ${argv.join(' ')} killed after ${afterMs} ms: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
    rmSync(host.path(`${OUT}/file`), { recursive: true, force: true });
  }
  await expectNothingLeft(host);
});
