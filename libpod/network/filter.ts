/** Which networks a `--filter` means (podman-network-ls(1), podman-network-prune(1)). */
import { EngineError } from '../../core/errors.ts';
import type { NetworkDefinition } from '../../network/bridge/definition.ts';
import type { Engine } from '../engine.ts';
import { GO_BOOLS, hasLabel, refuseBareFilters, splitFilters, untilMs } from '../filters.ts';
import { networkNames } from './store.ts';

export type NetworkTest = (network: NetworkDefinition) => boolean;

/** All keys must match; of several values of one key one is enough, but all labels are needed. Throws INVALID_ARGUMENT. */
export function networkTest(engine: Engine, texts: readonly string[], { pruning }: { readonly pruning: boolean }): NetworkTest {
  refuseBareFilters(texts);
  const tests = [...splitFilters(texts)].map(([key, values]): NetworkTest => {
    const make = Object.hasOwn(TESTS, key) && (!pruning || PRUNING.includes(key)) ? TESTS[key] : undefined;
    if (make === undefined) throw new EngineError('INVALID_ARGUMENT', `invalid filter ${JSON.stringify(key)}`);
    const members = values.map((value) => make(value, engine));
    return (network) => (key.startsWith('label') ? members.every((test) => test(network)) : members.some((test) => test(network)));
  });
  return (network) => tests.every((test) => test(network));
}

/** Does no container name it? The default network counts as used: it is always to be there. */
export function isUnused(engine: Engine): NetworkTest {
  const used = new Set([engine.settings.bridges.network.name, ...engine.containers.list().flatMap(networkNames)]);
  return ({ name }) => !used.has(name);
}

const PRUNING: readonly string[] = ['label', 'label!', 'until'];

const TESTS: Readonly<Record<string, (value: string, engine: Engine) => NetworkTest>> = {
  dangling: (value, engine) => {
    const wanted = GO_BOOLS[value];
    if (wanted === undefined) throw new EngineError('INVALID_ARGUMENT', `invalid dangling filter value ${JSON.stringify(value)}`);
    const unused = isUnused(engine);
    return (network) => unused(network) === wanted;
  },
  driver:
    (value) =>
    ({ driver }) =>
      driver === value,
  id:
    (value) =>
    ({ id }) =>
      id.startsWith(value),
  label:
    (value) =>
    ({ labels = {} }) =>
      hasLabel(labels, value),
  'label!':
    (value) =>
    ({ labels = {} }) =>
      !hasLabel(labels, value),
  name: (value) => {
    const pattern = parsePattern(value);
    return ({ name }) => pattern.test(name);
  },
  until: (value) => {
    const limit = untilMs(value, Date.now());
    return ({ created }) => Date.parse(created) < limit;
  },
};

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `error parsing regexp: ${JSON.stringify(text)}: ${(cause as Error).message}`, { cause });
  }
}
