import type { RegistryAccess } from '../../storage/remote.ts';
import type { Engine } from '../engine.ts';
import { registryAccess, type RegistryChoice } from '../registry/access.ts';
import { registriesConf } from './find.ts';

/** How an engine talks to registries: registryAccess with the credentials ready for use. Throws CONFIG, INVALID_ARGUMENT. */
export async function openAccess(engine: Engine, choice: RegistryChoice): Promise<RegistryAccess> {
  const [conf, { openCredentials }] = await Promise.all([registriesConf(engine), import('../../storage/registry/credentials.ts')]);
  const known = { config: engine.paths.config, conf };
  const { credentials, certificates, tlsVerify } = await registryAccess(engine.options.env, choice, known);
  const { retries, retryDelayMs } = choice;
  return { registries: conf, credentials: openCredentials(credentials), certificates, tlsVerify, retries, retryDelayMs };
}
