import type { RegistryAccess } from '../../storage/remote.ts';
import type { Engine } from '../engine.ts';
import { registriesConf } from './find.ts';
import type { RegistryChoice } from '../registry/access.ts';

/** How this user talks to registries, with what a command says over it. Throws CONFIG, INVALID_ARGUMENT. */
export async function registryAccess(engine: Engine, choice: RegistryChoice): Promise<RegistryAccess> {
  const [registries, { openCredentials }] = await Promise.all([registriesConf(engine), import('../../storage/registry/credentials.ts')]);
  const { creds, authFile, certDir, tlsVerify, retries, retryDelayMs } = choice;
  const { env } = engine.options;
  return {
    registries,
    credentials: openCredentials({ creds, authFile, env, helpers: registries.credentialHelpers }),
    certificates: { config: engine.paths.config, certDir, env },
    tlsVerify,
    retries,
    retryDelayMs,
  };
}
