/** What the verbs of `pod` share: which pods, and what of their containers went wrong. */
import type { Engine } from '../libpod/engine.ts';
import type { PodFailures } from '../libpod/pod/life.ts';
import { selectPods } from '../libpod/pod/select.ts';
import type { PodConfig } from '../libpod/state/pods.ts';
import type { CommandContext } from './command.ts';
import { forEachName } from './each.ts';
import { throwLast } from './failures.ts';
import { readPodIdFile } from './wish/membership.ts';

export interface PodFlags {
  readonly all?: boolean;
  readonly latest?: boolean;
  readonly ignore?: boolean;
  readonly 'pod-id-file'?: readonly string[];
}

/** Throws NO_SUCH_POD, AMBIGUOUS_ID, INVALID_ARGUMENT (an id file). */
export function podsByFlags(engine: Engine, names: readonly string[], flags: PodFlags): PodConfig[] {
  const fromFiles = (flags['pod-id-file'] ?? []).map(readPodIdFile);
  return selectPods(engine, {
    names: [...names, ...fromFiles],
    all: flags.all === true,
    latest: flags.latest === true,
    ignoreMissing: flags.ignore === true,
  });
}

/** One pod after the other. What failed with single containers is told like what fails with pods: the last of it is thrown. */
export async function forEachPod(
  context: CommandContext,
  selected: readonly PodConfig[],
  work: (pod: PodConfig) => Promise<PodFailures | undefined>,
  line: (pod: PodConfig) => string | undefined = ({ id }) => id,
): Promise<void> {
  await forEachName(context, selected, async (pod) => {
    const failures = await work(pod);
    if (failures === undefined) return undefined;
    throwLast(context.stderr, failures);
    return line(pod);
  });
}
