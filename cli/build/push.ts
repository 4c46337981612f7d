/** `build --push`: what was built goes to the registries of its names. */
import type { Engine } from '../../libpod/engine.ts';
import { pushImage } from '../../libpod/image/push.ts';
import { pushList } from '../../libpod/manifest/push.ts';
import type { CommandContext } from '../command.ts';
import { copyProgress } from '../progress.ts';
import { registryChoice } from '../pulling.ts';
import type { BuildFlags } from './request.ts';

export interface BuiltNames {
  readonly images: readonly string[];
  /** Of the manifest list that has the images. */
  readonly list: string | undefined;
}

/** A list goes with all its images. Throws what a push throws. */
export async function pushBuilt(
  context: CommandContext,
  engine: Engine,
  { images, list }: BuiltNames,
  flags: BuildFlags,
  signal: AbortSignal,
): Promise<void> {
  const options = { ...(await registryChoice(context, flags)), forceCompression: false, onEvent: copyProgress(context, flags), signal };
  if (list !== undefined) await pushList(engine, list, undefined, { ...options, all: true });
  else for (const name of images) await pushImage(engine, name, undefined, { ...options, compress: false });
}
