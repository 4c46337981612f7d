/** What the flags of `build` say of the containers of RUN, read as `run` reads them. */
import type { ContainerWish } from '../../libpod/spec/wish.ts';
import { EngineError } from '../../core/errors.ts';
import type { CommandContext } from '../command.ts';

import type { FlagValue } from '../flag.ts';
import { splitArguments } from '../split.ts';
import { assembleWish, type WishFlags } from '../wish/assemble.ts';
import { CONTAINER_FLAGS } from '../wish/flags.ts';
import { STEP_FLAGS } from './step-flags.ts';

/** Throws INVALID_ARGUMENT and what assembleWish throws. */
export function stepWish({ given, argv, env, cwd }: CommandContext, flags: Readonly<Record<string, FlagValue>>): ContainerWish {
  const typed = Object.keys(STEP_FLAGS).filter((name) => given.has(name));
  const words = typed.flatMap((name) => wordsOf(flags[name]).map((value) => `--${name}=${value}`));
  const { values, given: known } = splitArguments(CONTAINER_FLAGS, [...words, 'scratch'], { interspersed: true, path: 'build' });
  const { image: _image, ...wish } = assembleWish({ flags: values as WishFlags, args: ['scratch'], given: known, argv, env, cwd });
  refuseVolumes(wish);
  return wish;
}

/** A volume would have to be somebody's: steps belong to nobody. */
function refuseVolumes({ mounts }: ContainerWish): void {
  const volume = mounts.find(({ type }) => type !== 'bind');
  if (volume !== undefined)
    throw new EngineError(
      'NOT_SUPPORTED',
      `--volume: only directories of this machine can be bound in a build, ${JSON.stringify(volume.target)} has none`,
    );
}

function wordsOf(value: FlagValue): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'object' || value === undefined ? [] : [String(value)];
}
