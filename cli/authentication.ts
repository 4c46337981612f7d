/** `--authfile` and `--compat-auth-file` of login and logout. */
import { EngineError } from '../core/errors.ts';
import { registryAccess, type RegistryAccess } from '../libpod/registry/access.ts';
import type { CommandContext } from './command.ts';

export interface AuthFileFlags {
  readonly authfile?: string | undefined;
  readonly 'compat-auth-file'?: string | undefined;
  readonly 'cert-dir'?: string | undefined;
  readonly 'tls-verify'?: boolean | undefined;
}

/** Throws INVALID_ARGUMENT, CONFIG. */
export async function loginAccess(context: CommandContext, flags: AuthFileFlags): Promise<RegistryAccess> {
  const compatible = flags['compat-auth-file'] || undefined;
  const authFile = flags.authfile || undefined;
  if (authFile !== undefined && compatible !== undefined) {
    throw new EngineError(
      'INVALID_ARGUMENT',
      'options for paths to the credential file and to the Docker-compatible credential file can not be set simultaneously',
    );
  }
  const access = await registryAccess(context.env, {
    authFile: compatible ?? authFile,
    certDir: flags['cert-dir'],
    tlsVerify: context.given.has('tls-verify') ? flags['tls-verify'] : undefined,
  });
  return compatible === undefined ? access : { ...access, credentials: { ...access.credentials, helpers: [], compatible: true } };
}
