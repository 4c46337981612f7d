/** What talking to registries needs of the user's configuration. No store and no namespace: `login` and `search` open none. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readIdentity } from '../../host/identity.ts';
import { choosePaths } from '../../host/paths.ts';
import type { RegistriesConf } from '../../storage/registries.ts';
import type { CertificatePlaces } from '../../storage/registry/certificates.ts';
import type { CredentialPlaces } from '../../storage/registry/credentials.ts';

/** What a caller says about registries; the rest comes from the user's configuration. */
export interface RegistryChoice {
  readonly creds?: string | undefined;
  readonly authFile?: string | undefined;
  readonly certDir?: string | undefined;
  readonly tlsVerify?: boolean | undefined;
  readonly retries?: number | undefined;
  readonly retryDelayMs?: number | undefined;
}

export interface RegistryAccess {
  readonly conf: RegistriesConf;
  readonly credentials: CredentialPlaces;
  readonly certificates: CertificatePlaces;
  readonly tlsVerify: boolean | undefined;
}

/** `known` is what an engine has read before. Throws CONFIG for a registries.conf that does not parse. */
export async function registryAccess(
  env: NodeJS.ProcessEnv,
  choice: RegistryChoice,
  known?: { readonly config: string; readonly conf: RegistriesConf },
): Promise<RegistryAccess> {
  const config = known?.config ?? choosePaths(readIdentity(env), env).config;
  const conf = known?.conf ?? (await userRegistriesConf(config, env));
  const { creds, authFile, certDir, tlsVerify } = choice;
  return {
    conf,
    credentials: { creds, authFile, env, helpers: conf.credentialHelpers },
    certificates: { config, certDir, env },
    tlsVerify,
  };
}

/** registries.conf as this user has it. The parser is loaded only where there is a file. */
export async function userRegistriesConf(config: string, env: NodeJS.ProcessEnv): Promise<RegistriesConf> {
  const cache = join(env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? '/', '.cache'), 'containers');
  const { loadRegistriesConf } = await import('../../storage/registries.ts');
  return loadRegistriesConf({ config, env, ...(existsSync(cache) ? { cache } : {}) });
}
