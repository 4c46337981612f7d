/** Which containers a `--filter` means (podman-ps(1)). */
import { EngineError, isEngineError } from '../../core/errors.ts';
import { type Filters, GO_BOOLS, hasLabel, untilMs } from '../filters.ts';
import { type ContainerRecord, shownStatus } from '../state/containers.ts';

export type ContainerTest = (record: ContainerRecord) => boolean;

export interface FilterContext {
  readonly nowMs: number;
  /** The container `before` and `since` name. Throws NO_SUCH_CONTAINER. */
  readonly find: (nameOrId: string) => Pick<ContainerRecord, 'createdMs' | 'id'>;
}

/** Keys that `container prune` takes. */
export const PRUNE_KEYS: readonly string[] = ['label', 'label!', 'until'];

/** All keys must match; of several values of one key (labels excepted) one is enough. Throws INVALID_ARGUMENT, NO_SUCH_CONTAINER. */
export function containerTest(filters: Filters, context: FilterContext, keys: readonly string[] = Object.keys(TESTS)): ContainerTest {
  const tests = [...filters].map(([key, values]) => {
    const make = Object.hasOwn(TESTS, key) && keys.includes(key) ? TESTS[key] : undefined;
    if (make === undefined) throw new EngineError('INVALID_ARGUMENT', `${key} is an invalid filter`);
    return make(values, context);
  });
  return (record) => tests.every((test) => test(record));
}

const STATUSES = ['unknown', 'created', 'initialized', 'running', 'stopped', 'paused', 'exited', 'removing', 'stopping'];

/** Podman's name of a state. Throws INVALID_ARGUMENT. `stopped` is what a container is between its end and its clean-up: for us, exited. */
export function parseStatus(text: string): string {
  if (!STATUSES.includes(text)) throw new EngineError('INVALID_ARGUMENT', `unknown container state: ${text}: invalid argument`);
  return text === 'stopped' ? 'exited' : text;
}

type TestMaker = (values: readonly string[], context: FilterContext) => ContainerTest;

/** `none`: Podman's word here for a container without a policy. */
const RESTART_POLICIES = ['none', 'no', 'always', 'on-failure', 'unless-stopped'];

const TESTS: Readonly<Record<string, TestMaker>> = {
  ancestor: anyOf((record, value) => {
    const { imageId = '', imageName = '' } = record.config;
    return (value !== '' && imageName.includes(value)) || isIdPrefix(imageId, value.replace(/^sha256:/, ''));
  }),
  before: (values, { find }) => {
    const limits = values.map((value) => find(value).createdMs);
    return (record) => limits.every((limit) => record.createdMs < limit);
  },
  command: anyOf((record, value) => record.config.argv[0] === value),
  exited: (values) => {
    const codes = values.map(parseExitCode);
    return (record) => record.status === 'exited' && codes.includes(record.exitCode ?? 0);
  },
  health: anyOf((record, value) => record.health?.status === value),
  id: anyOf((record, value) => isIdPrefix(record.id, value.toLowerCase())),
  label: (values) => (record) => values.every((value) => hasLabel(record.config.labels, value)),
  'label!': (values) => (record) => !values.some((value) => hasLabel(record.config.labels, value)),
  name: (values) => {
    const patterns = values.map(parsePattern);
    return (record) => patterns.some((pattern) => pattern.test(record.name));
  },
  network: (values, { find }) => {
    const owners = values.flatMap((value) => (value.startsWith('container:') ? idIfKnown(value.slice('container:'.length), find) : []));
    return (record) => {
      const { mode } = record.config.network;
      if (mode.kind === 'bridge') return mode.networks.some(({ name }) => values.includes(name));
      return mode.kind === 'container' && owners.includes(mode.container);
    };
  },
  pod: anyOf(({ config: { pod } }, value) => pod !== undefined && (pod.name === value || isIdPrefix(pod.id, value))),
  'restart-policy': (values) => {
    const wrong = values.find((value) => !RESTART_POLICIES.includes(value));
    if (wrong !== undefined) throw new EngineError('INVALID_ARGUMENT', `${wrong} invalid restart policy`);
    return ({ config: { restart } }) => values.includes(restart.name) || (restart.name === 'no' && values.includes('none'));
  },
  'should-start-on-boot': (values) => {
    const wanted = values.map(parseBool);
    return (record) => wanted.includes(startsOnBoot(record));
  },
  since: (values, { find }) => {
    const limits = values.map((value) => find(value).createdMs);
    return (record) => limits.every((limit) => record.createdMs > limit);
  },
  status: (values) => {
    const wanted = values.map(parseStatus);
    return (record) => wanted.includes(shownStatus(record.status));
  },
  until: (values, { nowMs }) => {
    const limits = values.map((value) => untilMs(value, nowMs));
    return (record) => limits.every((limit) => record.createdMs < limit);
  },
  volume: anyOf((record, value) => {
    const [source = '', target] = value.split(':', 2);
    return record.config.mounts.some((mount) => {
      const from = mount.type === 'volume' ? mount.name : mount.type === 'bind' ? mount.source : undefined;
      return target === undefined ? from === source || mount.target === source : from === source && mount.target === target;
    });
  }),
};

function anyOf(matches: (record: ContainerRecord, value: string) => boolean): TestMaker {
  return (values) => (record) => values.some((value) => matches(record, value));
}

function idIfKnown(word: string, find: FilterContext['find']): readonly string[] {
  try {
    return [find(word).id];
  } catch (error) {
    if (isEngineError(error, 'NO_SUCH_CONTAINER')) return [];
    throw error;
  }
}

function isIdPrefix(id: string, prefix: string): boolean {
  return /^[0-9a-f]+$/.test(prefix) && id.startsWith(prefix);
}

function parseExitCode(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw new EngineError(
      'INVALID_ARGUMENT',
      `exited code out of range ${JSON.stringify(text)}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return Number(text);
}

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `error parsing regexp: ${JSON.stringify(text)}: ${(cause as Error).message}`, { cause });
  }
}

function parseBool(text: string): boolean {
  if (Object.hasOwn(GO_BOOLS, text)) return GO_BOOLS[text]!;
  throw new EngineError('INVALID_ARGUMENT', `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** Podman's rule: it has run, and its policy says so; `unless-stopped` unless somebody stopped it. */
export function startsOnBoot({ config: { restart }, startedMs, stoppedByUser }: ContainerRecord): boolean {
  return startedMs !== undefined && (restart.name === 'always' || (restart.name === 'unless-stopped' && !stoppedByUser));
}
