import { EngineError } from '../../core/errors.ts';
import type { Engine } from '../engine.ts';
import type { SecretRecord } from '../state/secrets.ts';

/** By name. `filters` are `id=…` (a part of it) and `name=…` (a regular expression). Throws INVALID_ARGUMENT. */
export function listSecrets(engine: Engine, filters: readonly string[]): SecretRecord[] {
  const groups = new Map<string, ((secret: SecretRecord) => boolean)[]>();
  for (const text of filters) {
    const equals = text.indexOf('=');
    if (equals < 0) throw new EngineError('INVALID_ARGUMENT', `filter input must be in the form of filter=value: ${text} is invalid`);
    const key = text.slice(0, equals);
    groups.set(key, [...(groups.get(key) ?? []), secretTest(key, text.slice(equals + 1))]);
  }
  const tests = [...groups.values()];
  return engine.secrets.list().filter((secret) => tests.every((group) => group.some((test) => test(secret))));
}

function secretTest(key: string, value: string): (secret: SecretRecord) => boolean {
  switch (key) {
    case 'id':
      return ({ id }) => id.includes(value);
    case 'name': {
      const pattern = parsePattern(value);
      return ({ name }) => pattern.test(name);
    }
    default:
      throw new EngineError('INVALID_ARGUMENT', `invalid filter ${JSON.stringify(key)}`);
  }
}

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `error parsing regexp: ${JSON.stringify(text)}: ${(cause as Error).message}`, { cause });
  }
}
