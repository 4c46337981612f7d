/** Each case of test/build-cases, against what Podman made of it (record-build.ts): exit status, files, settings, history. */
import { createReadStream } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canRunContainers, loadedHost } from '../host/loaded.ts';
import type { TestHost } from '../host/host.ts';
import { BASES, BUILD_CASES, buildCases, buildWords, imageOf, isTimed } from './build-cases.ts';
import { builtImage, treeChanges, treesOf, type BuildGolden } from './build-result.ts';
import { otherwise } from './build-differences.ts';
import { readBuildGoldens } from './goldens.ts';

let host: TestHost;
let built: ReadonlyMap<string, BuildGolden>;
const said = new Map<string, string>();

describe.skipIf(!canRunContainers)('what builds make', () => {
  beforeAll(async () => {
    host = await loadedHost(BASES);
    const directory = `${host.user.home}/cases`;
    const archive = execFileSync('tar', ['-c', '-C', BUILD_CASES, '.'], { maxBuffer: 2 ** 26 });
    await host.writeFile(`${directory}/all.tar`, archive);
    await host.run(['tar', '-x', '-f', `${directory}/all.tar`, '-C', directory, '--no-same-owner']);
    built = new Map((await buildAll(directory)).map((one) => [one.name, one]));
  }, 600_000);
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  test.each(readBuildGoldens().map((golden) => [golden.name, golden] as const))('%s', (name, golden) => {
    const expected = otherwise(golden);
    expect(built.get(name), said.get(name)).toEqual(expected);
    if (expected.exitCode !== 0) expect(said.get(name)).toMatch(/^Error: \S/m);
    expect(said.get(name)).not.toMatch(/^ +at \S+:\d/m);
  });
});

async function buildAll(directory: string): Promise<BuildGolden[]> {
  const results: BuildGolden[] = [];
  for (const one of buildCases()) {
    const { exitCode, stderr } = await host.lichen(buildWords(one, directory));
    said.set(one.name, stderr);
    results.push({ name: one.name, exitCode });
  }
  const images = results.filter(({ exitCode }) => exitCode === 0).map(({ name }) => imageOf(name));
  const archive = `${host.user.home}/all.tar`;
  await host.succeed(['save', '--quiet', '--multi-image-archive', '--output', archive, 'localhost/busybox', ...images]);
  const timed = buildCases().flatMap(({ name }) => (isTimed(name) ? [imageOf(name)] : []));
  const trees = await treesOf(createReadStream(host.path(archive)), (image) => timed.includes(image));
  const plain = trees.get('localhost/busybox:latest')!;
  const documents = JSON.parse(await host.succeed(['image', 'inspect', ...images])) as unknown[];
  return results.map((one): BuildGolden => {
    const index = images.indexOf(imageOf(one.name));
    return index < 0
      ? one
      : { ...one, image: builtImage(documents[index], treeChanges(trees.get(images[index]!)!, plain), isTimed(one.name)) };
  });
}
