/**
 * A network that is begun before lichen's own Node runs. pasta needs longer to be ready than everything else that a start does, and knows nothing of
 * the container. So the first container on plain pasta leaves its command line in the run directory, as a few lines of shell (`netns-begin`). For the next
 * plain `run`, bin/lichen chooses the container's id, starts that command for it, and becomes Node meanwhile.
 *
 * Whoever starts the container compares those lines with what it would have started itself. Where they differ (a configuration was changed), what was
 * begun is ended and done again; so is what failed, and its errors are those of the second try. What a killed `run` had begun, the next command ends.
 *
 * Beside the namespace at `<run>/netns/<id>` lie `<id>.begun` (the pid of the lichen it is for, until that has decided to use it),
 * `<id>.said` (what the commands printed) and `<id>.status` (their exit status, when they are done).
 */
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readIfThere } from '../host/if-there.ts';
import { log } from '../core/log.ts';
import { quote, shellLine } from '../core/shell.ts';
import { endProcessesNaming, processesNaming } from '../host/find-process.ts';
import { isNamespace } from '../host/namespaces.ts';
import { randomHex } from '../host/random.ts';
import { clearNamespace, clearNotes } from './teardown.ts';

/** In the environment: which lines were run, and the path of the namespace. */
export const BEGUN_NETWORK = 'LICHEN_BEGUN_NETWORK';

export interface BegunNetwork {
  /** Absolute path of the network namespace; its last part is the id that the container has to get. */
  readonly netns: string;
  readonly id: string;
  /** Names the lines that were run. */
  readonly token: string;
}

/** What bin/lichen has begun for this process. It is taken out of `env`: the processes that we start are not to end it. */
export function begunNetwork(env: NodeJS.ProcessEnv): BegunNetwork | undefined {
  const [token = '', netns] = env[BEGUN_NETWORK]?.split(' ') ?? [];
  delete env[BEGUN_NETWORK];
  return netns === undefined ? undefined : { netns, id: basename(netns), token };
}

/** Is it still open whether the namespace at `netns` is the one to be used? */
export function isUndecided(netns: string): boolean {
  return existsSync(`${netns}.begun`);
}

/** The commands for one namespace: they make it, and connect it. */
export interface NetworkCommands {
  readonly netns: string;
  readonly make: readonly string[];
  readonly connect: readonly string[];
  /** The same where TCP ports are published: somebody else forwards them. */
  readonly portsBeside?: boolean;
}

/**
 * What the commands of `begun` printed, when they are done. Undefined where others were begun (then nothing is left of it), or where they failed:
 * then the namespace may be there, without a process of ours, and somebody else may have joined it already.
 */
export async function outputOfBegun(begun: BegunNetwork, commands: NetworkCommands): Promise<string | undefined> {
  const { netns, token } = begun;
  if (commands.netns !== netns || readLines(netns) !== launcherLines(commands, token)) {
    log.debug(() => `what was begun at ${netns} is not what is wanted`);
    await endBegun(begun);
    return undefined;
  }
  rmSync(`${netns}.begun`, { force: true });
  const isWell = await endsWell(netns);
  const said = readIfThere(`${netns}.said`) ?? '';
  log.debug(() => `begun by the launcher: ${shellLine(commands.make)} && ${shellLine(commands.connect)}`);
  if (!isWell) {
    await endBegun(begun, { keepNamespace: true });
    return undefined;
  }
  for (const note of ['said', 'status']) rmSync(`${netns}.${note}`, { force: true });
  return said;
}

/** Looking for a process takes a while. Only the shell that is to write the status has its name: pasta outlives that shell, however it ended. */
const LOOK_EVERY_MS = 200;

async function endsWell(netns: string): Promise<boolean> {
  for (let waitedMs = 1; ; waitedMs++) {
    const status = readIfThere(`${netns}.status`);
    if (status?.endsWith('\n')) return Number(status) === 0;
    if (waitedMs % LOOK_EVERY_MS === 0 && processesNaming([`${netns}.status`]).length === 0 && !existsSync(`${netns}.status`)) return false;
    await sleep(1);
  }
}

/** End its processes, and take away the namespace and all that lies beside it. Idempotent. */
export async function endBegun({ netns }: Pick<BegunNetwork, 'netns'>, options: { keepNamespace?: boolean } = {}): Promise<void> {
  await endProcessesNaming([netns]);
  if (options.keepNamespace && isNamespace(netns)) clearNotes(netns);
  else clearNamespace(netns);
}

/** What was begun in this directory for a lichen that is no more. */
export async function endForsaken(directory: string): Promise<void> {
  const ids = readdirSync(directory).flatMap((name) => /^(\w+)\.begun$/.exec(name)?.[1] ?? []);
  for (const id of ids) {
    const netns = join(directory, id);
    const owner = readIfThere(`${netns}.begun`);
    if (owner === undefined || existsSync(`/proc/${owner.trim()}`)) continue;
    log.debug(() => `the network of a killed run was left at ${netns}; ending it`);
    await endBegun({ netns });
  }
}

/** Let bin/lichen begin the next network with these. One that it cannot be told of is begun later, which costs only time. */
export function rememberCommands(commands: NetworkCommands): void {
  const known = readLines(commands.netns);
  const token = known && new RegExp(`${BEGUN_NETWORK}="(\\w+) `).exec(known)?.[1];
  if (token !== undefined && known === launcherLines(commands, token)) return;
  try {
    const file = linesFile(commands.netns);
    writeFileSync(`${file}.${process.pid}`, launcherLines(commands, randomHex(8)), { mode: 0o600 });
    renameSync(`${file}.${process.pid}`, file);
  } catch (error) {
    log.debug(() => `the next network is not begun early: ${(error as Error).message}`);
  }
}

/** Nobody is to begin one like the last. */
export function forgetCommands(netns: string): void {
  rmSync(linesFile(netns), { force: true });
}

function linesFile(netns: string): string {
  return `${dirname(netns)}-begin`;
}

function readLines(netns: string): string | undefined {
  return readIfThere(linesFile(netns));
}

/**
 * Pure: what bin/lichen reads as part of itself, with `$run`, `$pid` and `$namespaces` of a pause process that it has found in order. Words that may
 * ask for another network, or only for help, leave it alone, wherever they stand. Two UUIDs make an id (random(4)); the shell between is nobody's
 * child, for Node would not wait for it.
 */
export function launcherLines({ netns, make, connect, portsBeside }: NetworkCommands, token: string): string {
  // `$0` of the inner shell is the namespace: whoever looks for the processes that belong to it finds this one too.
  const words = (argv: readonly string[]) => argv.map((word) => `"${escaped(word).replaceAll(escaped(netns), '$0')}"`).join(' ');
  const script = `${words(make)} && ${words(connect)}; echo $? >"$1"`;
  const [long, short] = portsBeside ? ['*[/=]udp', 'h'] : ['--pub*', 'pPh'];
  return `plain=yes
for word in "$@"; do
  case $word in
    --net* | --pod* | --help | ${long}) plain= ;;
    --*) ;;
    -*[${short}]*) plain= ;;
  esac
done
if [ -n "$plain" ] && read -r uuid </proc/sys/kernel/random/uuid && read -r word </proc/sys/kernel/random/uuid; then
  begun=
  uuid=$uuid-$word
  IFS=-
  for word in $uuid; do begun=$begun$word; done
  unset IFS
  begun=$run/netns/$begun
  enter='-U -m'
  [ "$namespaces" = Um ] || enter='-U -m -C'
  if { echo $$ >"$begun.begun" && : >"$begun"; } 2>/dev/null; then
    ${BEGUN_NETWORK}="${token} $begun"
    export ${BEGUN_NETWORK}
    (nsenter -t "$pid" $enter --preserve-credentials -- /bin/sh -c ${quote(script)} "$begun" "$begun.status" </dev/null >"$begun.said" 2>&1 &)
  fi
fi
`;
}

/** For double quotes. */
function escaped(word: string): string {
  return word.replaceAll(/["\\$`]/g, '\\$&');
}
