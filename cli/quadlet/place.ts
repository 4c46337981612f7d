import { plainText } from '../../core/plain.ts';
import { readIdentity } from '../../host/identity.ts';
import { choosePaths } from '../../host/paths.ts';
import { problemLine } from '../../libpod/quadlet/generate.ts';
import type { QuadletPlace } from '../../libpod/quadlet/place.ts';
import type { Problem } from '../../libpod/quadlet/source.ts';
import type { CommandContext } from '../command.ts';
import { LAUNCHER } from '../engine-options.ts';

/** Quadlet commands need no store: nothing is opened for them. */
export function quadletPlace({ env }: Pick<CommandContext, 'env'>): QuadletPlace {
  const identity = readIdentity(env);
  return {
    uid: identity.uid,
    // Root in a namespace of its own is the machine's root all the same.
    rootless: identity.uid !== 0,
    env,
    launcher: LAUNCHER,
    config: choosePaths(identity, env).config,
  };
}

export function tellProblems({ stderr }: CommandContext, problems: readonly Problem[]): void {
  for (const problem of problems) stderr.line(plainText(problemLine(problem)));
}
