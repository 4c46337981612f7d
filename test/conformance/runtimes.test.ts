/** Every requirement on every runtime that is installed; one host and few containers for each runtime (see requirement.ts). */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { canRunContainers } from '../host/loaded.ts';
import { Bench, RUNTIMES } from './bench.ts';
import { REQUIREMENTS } from './requirements.ts';

for (const runtime of RUNTIMES) {
  describe(`the runtime ${runtime.name}`, () => {
    if (!runtime.isThere || !canRunContainers) {
      test.skip('is installed, and busybox with it', () => {});
      return;
    }
    let bench: Bench;
    beforeAll(async () => {
      bench = await Bench.open(runtime);
    });
    afterAll(async () => {
      await bench[Symbol.asyncDispose]();
    });

    for (const { section, must, holds, deviations } of REQUIREMENTS) {
      const deviation = deviations[runtime.name];
      if (deviation === undefined) test(`${section}: ${must}`, () => holds(bench));
      else test(`${section}: ${must} (${runtime.name} ${deviation.does})`, () => deviation.holds(bench));
    }
  });
}
