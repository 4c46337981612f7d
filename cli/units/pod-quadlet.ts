/** A `.pod` file that makes a pod as its command line did. The files of its containers name it. */
import { EngineError } from '../../core/errors.ts';
import { type Entry, quadletFile, type QuadletFile, wordsOf } from '../../libpod/quadlet/describe.ts';
import { POD_RULES } from '../../libpod/quadlet/pod.ts';
import type { ContainerConfig } from '../../libpod/spec/container.ts';
import type { PodConfig } from '../../libpod/state/pods.ts';
import { type Beside, flagEntries, flagKeys } from './flag-entries.ts';
import { globalWords, readPodCommand } from './run-command.ts';

/** What the unit settles itself; name and exit policy are those of the pod. */
const SETTLED = new Set(['exit-policy', 'infra-conmon-pidfile', 'name', 'pod-id-file', 'replace']);
const KEYS = flagKeys(POD_RULES);

/** Throws NOT_SUPPORTED. */
export function podQuadlet(pod: PodConfig, infra: ContainerConfig | undefined, beside: Beside): QuadletFile {
  if (infra === undefined)
    throw new EngineError('NOT_SUPPORTED', `pod ${pod.name} has no infra container, and a .pod file makes one`, {
      hint: 'Name its containers instead.',
    });
  const { lead, typed } = readPodCommand(pod);
  const globals = globalWords(lead);
  const entries: Entry[] = [
    ['PodName', pod.name],
    ['ExitPolicy', pod.exitPolicy],
    ...flagEntries({ typed, keys: KEYS, settled: SETTLED, mounts: infra.mounts, beside }),
    ...(globals.length === 0 ? [] : [['GlobalArgs', wordsOf(...globals)] as const]),
  ];
  return quadletFile({ name: pod.name, kind: 'pod' }, entries, [['Install', [['WantedBy', 'default.target']]]]);
}
