/** What `create` and `run` do before there is a container: the wish, the image, the name that is to be freed, the id file. */
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { EngineError, isEngineError } from '../core/errors.ts';
import { asId, isFullId } from '../core/id.ts';
import { systemWords } from '../core/system-words.ts';
import type { Engine } from '../libpod/engine.ts';
import type { ContainerWish } from '../libpod/spec/wish.ts';
import type { CommandContext } from './command.ts';
import { printerTo } from './print.ts';
import type { CreationPull } from './pulling.ts';
import { assembleWish, type WishFlags } from './wish/assemble.ts';
import { NEW_POD } from './wish/membership.ts';

export interface Preparation {
  readonly engine: Engine;
  readonly wish: ContainerWish;
}

/** Throws INVALID_*, NO_SUCH_IMAGE and what a pull throws. */
export async function prepareCreation(context: CommandContext, args: readonly string[], flags: WishFlags): Promise<Preparation> {
  const wish = assembleWish({ flags, args, given: context.given, argv: context.argv, env: context.env, cwd: context.cwd });
  if (wish.log.driver === 'passthrough') refuseTerminals();
  warnOfRealtime(context, flags);
  flags['decryption-key'].forEach(checkKey);
  const engine = await context.openEngine();
  const image = wish.image === undefined ? undefined : await obtain(context, engine, wish, wish.image, flags);
  if (wish.replace && wish.name !== undefined) await removeNamed(engine, wish.name);
  if (flags.cidfile !== undefined) await freeIdFile(engine, flags.cidfile);
  const found = image === undefined ? wish : { ...wish, image };
  return { engine, wish: found.pod?.name.startsWith(NEW_POD) ? await inNewPod(context, engine, args, flags, found) : found };
}

/** For scripts that want to know the id of what they started. Throws INVALID_ARGUMENT when it cannot be written. */
export function writeIdFile(path: string | undefined, id: string): void {
  if (path === undefined) return;
  try {
    writeFileSync(path, id, { flag: 'wx' });
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `creating idfile: open ${path}: ${systemWords(cause)}`, { cause });
  }
}

/** A container that is no terminal's child could push keys into it (ioctl_tty(2), TIOCSTI). */
function refuseTerminals(): void {
  if (![0, 1, 2].some((fd) => printerTo(fd).isTerminal())) return;
  const message =
    "the '--log-driver passthrough' option cannot be used on a TTY.  If you really want it, use '--log-driver passthrough-tty'";
  throw new EngineError('INVALID_ARGUMENT', message);
}

/** cgroup v2 has no real-time budgets; as Podman, the container goes without. */
export function warnOfRealtime({ stderr }: CommandContext, flags: Pick<WishFlags, 'cpu-rt-period' | 'cpu-rt-runtime'>): void {
  if (flags['cpu-rt-period']) stderr.line('Realtime period not supported on cgroups V2 systems');
  if (flags['cpu-rt-runtime']) stderr.line('Realtime runtime not supported on cgroups V2 systems');
}

/** An image that is encrypted is refused where it is pulled; a key for one that is not changes nothing. */
function checkKey(text: string): void {
  const [path = ''] = text.split(':', 1);
  try {
    accessSync(path, constants.R_OK);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `invalid decryption keys: open ${path}: ${systemWords(cause)}`, { cause });
  }
}

/** One that names no container any more was left by a lichen that was killed. */
async function freeIdFile(engine: Engine, path: string): Promise<void> {
  if (!existsSync(path)) return;
  const { readIdFile } = await import('../libpod/container/id-file.ts');
  const id = readIdFile(path);
  if (id !== undefined && isFullId(id) && !engine.containers.has(asId(id))) return rmSync(path);
  throw new EngineError('INVALID_ARGUMENT', `container id file exists. Ensure another container is not using it or delete ${path}`);
}

/** Makes sure that the image is here. Resolves with the word by which the image is found from now on. */
export async function obtain(
  context: CommandContext,
  engine: Engine,
  wish: Pick<ContainerWish, 'pull' | 'platform'>,
  image: string,
  flags: CreationPull['flags'],
): Promise<string> {
  const { lookUpImage } = await import('../libpod/image/find.ts');
  const policy = wish.pull ?? engine.settings.pullPolicy;
  if (policy === 'missing' || policy === 'never') {
    if (wish.platform === undefined && (await lookUpImage(engine, image))) return image;
    if (policy === 'never' && wish.platform === undefined) throw new EngineError('NO_SUCH_IMAGE', `${image}: image not known`);
  }
  const { pullForCreation } = await import('./pulling.ts');
  return pullForCreation(context, engine, { image, policy, platform: wish.platform, flags });
}

/** The pod is made first, and stays where the container cannot be made. */
async function inNewPod(
  context: CommandContext,
  engine: Engine,
  args: readonly string[],
  flags: WishFlags,
  wish: ContainerWish,
): Promise<ContainerWish> {
  const [{ newPodWish }, { createPod }] = await Promise.all([import('./wish/pod.ts'), import('../libpod/pod/create.ts')]);
  const source = { flags, args, given: context.given, argv: context.argv, env: context.env, cwd: context.cwd };
  const { id } = await createPod(engine, newPodWish(source), (line) => context.stderr.line(line));
  return { ...wish, pod: { ...wish.pod!, name: id } };
}

/** `--replace`. */
export async function removeNamed(engine: Engine, name: string): Promise<void> {
  try {
    const { removeContainer } = await import('../libpod/container/remove.ts');
    await removeContainer(engine, engine.containers.find(name).id, { force: true, volumes: false });
  } catch (error) {
    if (!isEngineError(error, 'NO_SUCH_CONTAINER')) throw error;
  }
}
