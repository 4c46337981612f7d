/** Which volumes a `--filter` means (podman-volume-ls(1)). */
import { EngineError } from '../../core/errors.ts';
import type { Engine } from '../engine.ts';
import { hasLabel, untilMs } from '../filters.ts';
import type { VolumeRecord } from '../state/volumes.ts';

export type VolumeTest = (volume: VolumeRecord) => boolean;

/** All keys must match; of several values of one key one is enough, but all labels are needed. Throws INVALID_ARGUMENT, NO_SUCH_VOLUME. */
export function volumeTest(engine: Engine, texts: readonly string[]): VolumeTest {
  const groups = new Map<string, VolumeTest[]>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    if (equals < 0) throw new EngineError('INVALID_ARGUMENT', `filter input must be in the form of filter=value: ${text} is invalid`);
    const key = text.slice(0, equals);
    groups.set(key, [...(groups.get(key) ?? []), makeTest(engine, key, text.slice(equals + 1))]);
  }
  const tests = [...groups].map(([key, members]): VolumeTest => {
    const all = key.startsWith('label');
    return (volume) => (all ? members.every((member) => member(volume)) : members.some((member) => member(volume)));
  });
  return (volume) => tests.every((test) => test(volume));
}

export function isUsed(engine: Engine, { name }: Pick<VolumeRecord, 'name'>): boolean {
  return engine.volumes.users(name).length > 0;
}

function makeTest(engine: Engine, key: string, value: string): VolumeTest {
  switch (key) {
    case 'after':
    case 'since': {
      const { createdMs } = engine.volumes.find(value);
      return (volume) => volume.createdMs > createdMs;
    }
    case 'dangling': {
      const wanted = parseDangling(value);
      return (volume) => isUsed(engine, volume) !== wanted;
    }
    case 'driver':
      return (volume) => volume.driver === value;
    case 'label':
      return (volume) => hasLabel(volume.labels, value);
    case 'label!':
      return (volume) => !hasLabel(volume.labels, value);
    case 'name': {
      const pattern = parsePattern(value);
      return (volume) => pattern.test(volume.name);
    }
    case 'opt': {
      const [name = '', text] = value.split('=', 2);
      return ({ options }) => Object.hasOwn(options, name) && (text === undefined || options[name] === text);
    }
    case 'scope':
      return () => value === 'local';
    case 'until': {
      const limit = untilMs(value, Date.now());
      return (volume) => volume.createdMs < limit;
    }
    default:
      throw new EngineError('INVALID_ARGUMENT', `${JSON.stringify(key)} is an invalid volume filter`);
  }
}

function parseDangling(text: string): boolean {
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw new EngineError(
    'INVALID_ARGUMENT',
    `${JSON.stringify(text)} is not a valid value for the "dangling" filter - must be true or false`,
  );
}

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `error parsing regexp: ${JSON.stringify(text)}: ${(cause as Error).message}`, { cause });
  }
}
