import { pullImages, type PullOptions } from '../../libpod/image/pull.ts';
import { parsePullPolicy } from '../../libpod/spec/parse/words.ts';
import { defineCommand } from '../command.ts';
import { forEachName } from '../each.ts';
import { pullFace } from '../faces/pull.ts';
import { copyProgress } from '../progress.ts';
import { registryChoice, wantedPlatform } from '../pulling.ts';

export const command = defineCommand(pullFace, async (context, names, flags) => {
  const options: PullOptions = {
    allTags: flags['all-tags'],
    policy: parsePullPolicy(flags.policy),
    platform: wantedPlatform(flags),
    ...(await registryChoice(context, flags)),
    onEvent: copyProgress(context, flags),
  };
  const engine = await context.openEngine();
  await forEachName(context, names, async (name) => (await pullImages(engine, name, options)).join('\n'));
});
