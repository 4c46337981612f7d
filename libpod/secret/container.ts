/** Secrets of a container: looked up when it is made, shown as files and variables while it runs. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { giveTo } from '../../host/chown.ts';
import type { ContainerPlaces } from '../container/places.ts';
import { giveToRoot } from '../container/shown-file.ts';
import type { Engine } from '../engine.ts';
import type { ContainerConfig, ContainerSecret } from '../spec/container.ts';
import { outsideId } from '../spec/userns.ts';
import type { SecretWish } from '../spec/wish.ts';
import { secretData } from './create.ts';

export interface AskedSecrets {
  readonly secrets: readonly ContainerSecret[];
  readonly secretEnv: Readonly<Record<string, string>>;
  /** By id, of those that are mounted. */
  readonly data: ReadonlyMap<string, Buffer>;
}

/** Throws NO_SUCH_SECRET, AMBIGUOUS_ID. */
export async function askedSecrets(engine: Engine, wishes: readonly SecretWish[]): Promise<AskedSecrets> {
  const secrets: ContainerSecret[] = [];
  const secretEnv: Record<string, string> = {};
  const data = new Map<string, Buffer>();
  for (const wish of wishes) {
    const secret = engine.secrets.find(wish.source);
    if (wish.kind === 'env') {
      secretEnv[wish.target ?? secret.name] = wish.source;
      continue;
    }
    data.set(secret.id, await secretData(engine, secret));
    const { uid, gid, mode, target } = wish;
    secrets.push({ id: secret.id, name: secret.name, uid, gid, mode, ...(target === undefined ? {} : { target }) });
  }
  return { secrets, secretEnv, data };
}

const DIRECTORY = '/run/secrets';

/** Target in the container → file here, made anew for each start in the run directory. Throws INVALID_ARGUMENT (an owner that does not exist here). */
export function secretFiles(engine: Engine, config: ContainerConfig, places: ContainerPlaces): Record<string, string> {
  if (config.secrets === undefined || config.secrets.length === 0) return {};
  const shown = join(places.run, 'secrets');
  const kept = join(places.run, 'secret-data');
  for (const directory of [shown, kept]) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { mode: 0o755 });
    chmodSync(directory, 0o755);
    giveToRoot(directory, config);
  }
  const files: Record<string, string> = {};
  for (const [index, secret] of config.secrets.entries()) {
    const file = join(kept, String(index));
    writeSecret(engine, config, secret, file);
    const target = targetOf(secret);
    files[target] = file;
    if (!target.startsWith(`${DIRECTORY}/`)) continue;
    // A read-only directory takes no new names: the place to mount at is there before.
    const place = join(shown, posix.relative(DIRECTORY, target));
    mkdirSync(dirname(place), { recursive: true, mode: 0o755 });
    writeFileSync(place, '', { mode: 0o644 });
  }
  return { ...(config.mounts.some(({ target }) => target === DIRECTORY) ? {} : { [DIRECTORY]: shown }), ...files };
}

function writeSecret(engine: Engine, config: ContainerConfig, secret: ContainerSecret, file: string): void {
  const data = engine.secrets.givenTo(config.id, secret.id);
  if (data === undefined)
    throw new EngineError('NO_SUCH_SECRET', `no secret with name or id ${JSON.stringify(secret.name)}: no such secret`);
  writeFileSync(file, data, { mode: 0o600 });
  try {
    giveTo(file, outsideId(secret.uid, config.idMap?.uids), outsideId(secret.gid, config.idMap?.gids));
  } catch (cause) {
    const isUnknown = isEngineError(cause, 'SUBID_RANGE_MISSING');
    const why = isUnknown ? 'there is no such ID here' : (cause as Error).message;
    throw new EngineError('INVALID_ARGUMENT', `unable to chown secret ${secret.name} to ${secret.uid}:${secret.gid}: ${why}`, {
      cause,
      ...(isUnknown && cause.hint !== undefined ? { hint: cause.hint } : {}),
    });
  }
  chmodSync(file, secret.mode & 0o7777);
}

/** A relative target, or none, is a name below /run/secrets; it cannot climb out of it. */
function targetOf({ target, name }: ContainerSecret): string {
  const wanted = target ?? name;
  return wanted.startsWith('/') ? posix.normalize(wanted) : posix.join(DIRECTORY, posix.join('/', wanted));
}

/** Variables as the secrets are now. Throws NO_SUCH_SECRET where one was removed. */
export async function secretVariables(engine: Engine, config: ContainerConfig): Promise<readonly (readonly [string, string])[]> {
  const variables: (readonly [string, string])[] = [];
  for (const [name, source] of Object.entries(config.secretEnv ?? {})) {
    const data = await secretData(engine, engine.secrets.find(source));
    variables.push([name, data.toString('utf8')]);
  }
  return variables;
}
