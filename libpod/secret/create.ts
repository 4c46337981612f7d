/** Making and unmaking secrets. One at a time: a lock of all secrets is held while an outside store is asked. */
import { EngineError } from '../../core/errors.ts';
import { randomHex } from '../../host/random.ts';
import type { Engine } from '../engine.ts';
import type { SecretRecord } from '../state/secrets.ts';
import { openSecretDriver, parseDriverName, SECRET_LIMIT_BYTES } from './driver.ts';
import { lockSecrets } from './lock.ts';

export interface CreateSecretOptions {
  readonly name: string;
  readonly data: Buffer;
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** One of that name is fine, and stays. */
  readonly ignoreExisting: boolean;
  /** One of that name goes; its time of creation stays. */
  readonly replace: boolean;
}

const NAME_LIMIT = 253;
const ID_DIGITS = 25;

/** Resolves with its id. Throws INVALID_NAME, INVALID_ARGUMENT, NAME_IN_USE, HELPER_FAILED, HELPER_MISSING. */
export async function createSecret(engine: Engine, wish: CreateSecretOptions): Promise<string> {
  checkName(wish.name);
  if (wish.data.length === 0 || wish.data.length >= SECRET_LIMIT_BYTES) {
    throw new EngineError('INVALID_ARGUMENT', `secret data must be larger than 0 and less than ${SECRET_LIMIT_BYTES} bytes`);
  }
  using _lock = await lockSecrets(engine);
  const before = engine.secrets.byName(wish.name);
  if (before && wish.ignoreExisting) return before.id;
  if (before && !wish.replace) throw new EngineError('NAME_IN_USE', `${wish.name}: secret name in use`);
  const name = parseDriverName(wish.driver);
  const driver = await openSecretDriver(engine, { driver: name, options: wish.options });
  const id = newId(engine);
  await named(`creating secret ${wish.name}`, () => driver.store(id, wish.data));
  const nowMs = Date.now();
  engine.db.transaction(() => {
    if (before) engine.secrets.remove(before.id);
    engine.secrets.insert({
      id,
      name: wish.name,
      driver: name,
      options: driver.options,
      labels: wish.labels,
      createdMs: before?.createdMs ?? nowMs,
      updatedMs: nowMs,
    });
    engine.events.add({ type: 'secret', status: 'create', id, name: '' });
  });
  if (before) await removeData(engine, before);
  return id;
}

/** Resolves with its id. Throws NO_SUCH_SECRET, AMBIGUOUS_ID, HELPER_MISSING. Containers keep what they were given. */
export async function removeSecret(engine: Engine, nameOrId: string): Promise<string> {
  using _lock = await lockSecrets(engine);
  const secret = engine.secrets.find(nameOrId);
  // Data first: killed in between, the row is still there to be removed by.
  await removeData(engine, secret);
  engine.db.transaction(() => {
    engine.secrets.remove(secret.id);
    engine.events.add({ type: 'secret', status: 'remove', id: secret.id, name: '' });
  });
  return secret.id;
}

/** Throws NO_SUCH_SECRET where its driver does not have it any more. */
export async function secretData(engine: Engine, secret: SecretRecord): Promise<Buffer> {
  return (await openSecretDriver(engine, secret)).lookUp(secret.id);
}

async function removeData(engine: Engine, secret: SecretRecord): Promise<void> {
  const driver = await openSecretDriver(engine, secret);
  await named(`deleting secret ${secret.name}`, () => driver.remove(secret.id));
}

function checkName(name: string): void {
  if (name !== '' && name.length <= NAME_LIMIT && !/[=/,\0]/.test(name)) return;
  throw new EngineError(
    'INVALID_NAME',
    `secret name ${JSON.stringify(name)} can not include '=', '/', ',', or the '\\0' (NULL) and be between 1 and ${NAME_LIMIT} characters: invalid secret name`,
  );
}

/** No prefix of another, nor all digits: a number could be taken for something else by who reads it. */
function newId(engine: Engine): string {
  for (;;) {
    const id = randomHex(Math.ceil(ID_DIGITS / 2)).slice(0, ID_DIGITS);
    if (/[a-f]/.test(id) && !engine.secrets.list().some((other) => other.id === id)) return id;
  }
}

async function named<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError(error.code, `${what}: ${error.message}`, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}
