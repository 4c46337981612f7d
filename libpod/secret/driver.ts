/** Where the data of secrets lies: a file of ours, the `pass` store of the user, or whatever his shell commands do. */
import { EngineError } from '../../core/errors.ts';
import type { Engine } from '../engine.ts';
import type { SecretDriverName, SecretRecord } from '../state/secrets.ts';

export interface SecretDriver {
  /** As kept and shown: what was asked for and what the driver chose itself. */
  readonly options: Readonly<Record<string, string>>;
  /** All or nothing where the driver can. Throws HELPER_FAILED, SYSCALL. */
  store(id: string, data: Buffer): Promise<void>;
  /** Throws NO_SUCH_SECRET. */
  lookUp(id: string): Promise<Buffer>;
  /** Throws NO_SUCH_SECRET where an outside store does not give it up. */
  remove(id: string): Promise<void>;
}

/** A secret is smaller than this. */
export const SECRET_LIMIT_BYTES = 512_000;

const NAMES: readonly SecretDriverName[] = ['file', 'pass', 'shell'];

/** Throws INVALID_ARGUMENT. */
export function parseDriverName(text: string): SecretDriverName {
  const name = NAMES.find((known) => known === text);
  if (name === undefined) throw new EngineError('INVALID_ARGUMENT', 'invalid driver');
  return name;
}

/** Throws INVALID_ARGUMENT (options). */
export async function openSecretDriver(
  engine: Engine,
  { driver, options }: Pick<SecretRecord, 'driver' | 'options'>,
): Promise<SecretDriver> {
  switch (driver) {
    case 'file': {
      const { fileDriver } = await import('./file.ts');
      return fileDriver(engine, options);
    }
    case 'shell': {
      const { shellDriver } = await import('./shell.ts');
      return shellDriver(options, engine.options.env);
    }
    case 'pass': {
      const { passDriver } = await import('./pass.ts');
      return passDriver(options, engine.options.env);
    }
  }
}

/** What a driver says when it has nothing under the id. */
export function noData(id: string, cause?: unknown): EngineError {
  return new EngineError('NO_SUCH_SECRET', `${id}: no such secret`, { cause });
}
