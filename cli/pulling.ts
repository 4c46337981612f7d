/** Flags that say where an image comes from and for which machine, and the pull that `create` and `run` begin with. */
import { existsSync } from 'node:fs';
import { parseDurationMs } from '../core/duration.ts';
import { EngineError } from '../core/errors.ts';
import type { Engine } from '../libpod/engine.ts';
import { pullImages, type PullOptions } from '../libpod/image/pull.ts';
import type { RegistryChoice } from '../libpod/registry/access.ts';
import { defined } from '../libpod/spec/defined.ts';
import { architectureName, parsePlatform } from '../libpod/spec/parse/words.ts';
import type { PullPolicy } from '../libpod/spec/wish.ts';
import type { Platform } from '../storage/image.ts';
import type { CommandContext } from './command.ts';
import { copyProgress } from './progress.ts';

export interface RegistryFlags {
  readonly authfile?: string | undefined;
  readonly 'cert-dir'?: string | undefined;
  readonly creds?: string | undefined;
  readonly retry?: number | undefined;
  readonly 'retry-delay'?: string | undefined;
  readonly 'tls-verify'?: boolean | undefined;
}

export interface PlatformFlags {
  readonly platform?: string | undefined;
  readonly os?: string | undefined;
  readonly arch?: string | undefined;
  readonly variant?: string | undefined;
}

export interface CreationPull {
  readonly image: string;
  readonly policy: PullPolicy;
  readonly platform?: Partial<Platform> | undefined;
  readonly flags: RegistryFlags & { readonly quiet: boolean };
}

/** Make sure the image is here. Resolves with what it is found by: the text itself, or an id where the text names a place. Throws what pullImages throws. */
export async function pullForCreation(context: CommandContext, engine: Engine, request: CreationPull): Promise<string> {
  const { image, policy, platform, flags } = request;
  const options: PullOptions = { policy, platform, ...(await registryChoice(context, flags)), onEvent: copyProgress(context, flags) };
  const [id] = await pullImages(engine, image, options);
  const namesPlace = /^(docker:\/\/|docker-archive:|oci-archive:|oci:|dir:)/.test(image);
  return namesPlace && id !== undefined ? id : image;
}

/** Asks at the terminal for what is missing in `--creds`. Throws INVALID_ARGUMENT. */
export async function registryChoice(context: CommandContext, flags: RegistryFlags): Promise<RegistryChoice> {
  const { authfile, creds } = flags;
  checkAuthFile(authfile);
  return {
    creds: creds === undefined || creds === '' ? undefined : await completeCreds(context, creds),
    authFile: authfile,
    certDir: flags['cert-dir'],
    tlsVerify: context.given.has('tls-verify') ? flags['tls-verify'] : undefined,
    retries: flags.retry,
    retryDelayMs: flags['retry-delay'] === undefined ? undefined : retryDelay(flags['retry-delay']),
  };
}

async function completeCreds(context: CommandContext, creds: string): Promise<string> {
  const [, username = '', password = ''] = /^([^:]*):?(.*)$/s.exec(creds) ?? [];
  if (username !== '' && password !== '') return creds;
  const { askLine, askSecret } = await import('./prompt.ts');
  const name = username || (await asked('username', () => askLine(context, 'Username: ')));
  return `${name}:${password || (await asked('password', () => askSecret(context, 'Password: ')))}`;
}

async function asked(what: string, question: () => Promise<string | undefined>): Promise<string> {
  const failed = (why: string, hint?: string): EngineError =>
    new EngineError('INVALID_ARGUMENT', `could not read ${what}: ${why}`, hint === undefined ? {} : { hint });
  let answer: string | undefined;
  try {
    answer = await question();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw failed(error.message, 'Without a terminal: --creds NAME:PASSWORD.');
  }
  if (answer === undefined) throw failed('EOF');
  return answer.trim();
}

/** A file that was named must be there. Throws INVALID_ARGUMENT. */
export function checkAuthFile(authfile: string | undefined): void {
  if (authfile === undefined || authfile === '' || existsSync(authfile)) return;
  throw new EngineError('INVALID_ARGUMENT', `credential file is not accessible: faccessat ${authfile}: no such file or directory`);
}

/** Undefined where the machine's own platform is meant. Throws INVALID_ARGUMENT. */
export function wantedPlatform({ platform, os, arch, variant }: PlatformFlags): Partial<Platform> | undefined {
  if (platform && (os || arch)) throw new EngineError('INVALID_ARGUMENT', '--platform option can not be specified with --arch or --os');
  const wanted = {
    ...(platform ? parsePlatform(platform) : {}),
    ...defined({ os: os || undefined, architecture: arch ? architectureName(arch) : undefined, variant: variant || undefined }),
  };
  return Object.keys(wanted).length > 0 ? wanted : undefined;
}

function retryDelay(text: string): number {
  try {
    return parseDurationMs(text);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', (cause as Error).message, { cause });
  }
}
