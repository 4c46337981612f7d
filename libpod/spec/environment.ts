/** The environment of a container, put together in the order in which later words win (podman-run(1), "Environment"). */
import { EngineError } from '../../core/errors.ts';
import type { ContainerDefaults } from '../../storage/image.ts';
import type { ContainerWish } from './wish.ts';
import type { Defaults } from './defaults.ts';

/** Handed on from the caller unless `--http-proxy=false` (containers.conf, http_proxy). */
const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY'];

/** A word as a Dockerfile has it, with its variables in place. */
export type ExpandWord = (word: string, value: (name: string) => string | undefined) => string;

/**
 * Defaults, image, caller's proxies, `--env`; `--unsetenv` takes from the first two only. HOME and HOSTNAME are added at the start.
 * A word of the image without `=` is dropped: it must not draw a value from the host (CVE-2026-57231). Throws INVALID_ARGUMENT.
 */
export function containerEnv(
  wish: Pick<ContainerWish, 'env' | 'envMerge' | 'unsetEnv' | 'unsetEnvAll' | 'httpProxy' | 'terminal'>,
  image: ContainerDefaults | undefined,
  { hostEnv, expandWord }: { readonly hostEnv: Readonly<Record<string, string>>; readonly expandWord?: ExpandWord },
  defaults: Defaults,
): string[] {
  const env = new Map<string, string>();
  const own = [...defaults.env, 'container=podman', ...(wish.terminal ? ['TERM=xterm'] : [])];
  for (const variable of [...own, ...(image?.Env ?? [])]) {
    const at = variable.indexOf('=');
    if (at > 0) env.set(variable.slice(0, at), variable.slice(at + 1));
  }
  if (expandWord !== undefined) for (const text of wish.envMerge ?? []) mergeVariable(env, text, expandWord);
  for (const name of wish.unsetEnv ?? []) env.delete(name);
  if (wish.unsetEnvAll === true) env.clear();
  if (wish.httpProxy ?? defaults.httpProxy) {
    for (const name of PROXY_VARIABLES) if (hostEnv[name] !== undefined) env.set(name, hostEnv[name]);
  }
  for (const [key, value] of wish.env) {
    if (key === '') throw new EngineError('INVALID_ARGUMENT', `invalid variable: ${JSON.stringify(`=${value}`)}`);
    env.set(key, value);
  }
  return [...env].map(([key, value]) => `${key}=${value}`);
}

function mergeVariable(env: Map<string, string>, text: string, expandWord: ExpandWord): void {
  const word = expandWord(text, (name) => env.get(name));
  const at = word.indexOf('=');
  if (at < 0) throw new EngineError('INVALID_ARGUMENT', `missing \`=\` for --env-merge substitution ${text}`);
  if (at > 0) env.set(word.slice(0, at), word.slice(at + 1));
}
