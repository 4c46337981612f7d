/** Which pods a `--filter` means (podman-pod-ps(1), podman-pod-prune(1)). */
import { EngineError, isEngineError } from '../../core/errors.ts';
import { hasLabel, refuseBareFilters, splitFilters, untilMs } from '../filters.ts';
import { POD_STATUSES, type PodSummary } from '../summary.ts';

export type PodTest = (pod: PodSummary) => boolean;

/** All keys must match; of several values of one key one is enough, but all labels are needed. Throws INVALID_ARGUMENT. */
export function podTest(texts: readonly string[], nowMs: number): PodTest {
  refuseBareFilters(texts);
  const tests = [...splitFilters(texts)].map(([key, values]): PodTest => {
    const make = Object.hasOwn(TESTS, key) ? TESTS[key] : undefined;
    if (make === undefined) throw new EngineError('INVALID_ARGUMENT', `${key} is an invalid filter`);
    const each = values.map((value) => make(value, nowMs));
    return (pod) => (key.startsWith('label') || key === 'until' ? each.every((test) => test(pod)) : each.some((test) => test(pod)));
  });
  return (pod) => tests.every((test) => test(pod));
}

const CONTAINER_STATUSES = ['created', 'initialized', 'running', 'stopped', 'paused', 'exited', 'unknown'];

const TESTS: Readonly<Record<string, (value: string, nowMs: number) => PodTest>> = {
  'ctr-ids': (value) => (pod) => pod.containers.some(({ id }) => id.startsWith(value)),
  'ctr-names': (value) => {
    const pattern = patternOf(value);
    return (pod) => pod.containers.some(({ name }) => pattern.test(name));
  },
  // As Podman, a word that is no number is no mistake: no pod has so many.
  'ctr-number': (value) => (pod) => /^[+-]?\d+$/.test(value) && pod.containers.length === Number(value),
  'ctr-status': (value) => {
    if (!CONTAINER_STATUSES.includes(value)) throw new EngineError('INVALID_ARGUMENT', `${value} is not a valid status`);
    return (pod) => pod.containers.some(({ state }) => state === (value === 'stopped' ? 'exited' : value));
  },
  id: (value) => (pod) => pod.id.startsWith(value.toLowerCase()),
  label: (value) => (pod) => hasLabel(pod.labels, value),
  'label!': (value) => (pod) => !hasLabel(pod.labels, value),
  name: (value) => {
    const pattern = patternOf(value);
    return (pod) => pattern.test(pod.name);
  },
  network: (value) => (pod) => pod.networks.includes(value),
  status: (value) => {
    const wanted = POD_STATUSES.find((status) => status.toLowerCase() === value.toLowerCase());
    if (wanted === undefined) throw new EngineError('INVALID_ARGUMENT', `${value} is not a valid pod status`);
    return (pod) => pod.status === wanted;
  },
  until: (value, nowMs) => {
    const limit = orNever(() => untilMs(value, nowMs));
    return (pod) => Date.parse(pod.createdAt) < limit;
  },
};

/** As Podman, nothing is older than a word that is no time. */
function orNever(parse: () => number): number {
  try {
    return parse();
  } catch (error) {
    if (isEngineError(error, 'INVALID_ARGUMENT')) return -Infinity;
    throw error;
  }
}

/** As Podman, a pattern that does not parse fits nothing. */
function patternOf(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    return /(?!)/;
  }
}
