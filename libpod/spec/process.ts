/** The process of a container and of its exec sessions (config.md#process). */
import { EngineError } from '../../core/errors.ts';
import { idRemedy } from '../../host/idmap.ts';
import type { ContainerConfig, ProcessIdentity, StartFacts } from './container.ts';
import { containerCapabilities, execCapabilities } from './capabilities.ts';
import { DEFAULTS, type Defaults } from './defaults.ts';
import { hasId } from './namespaces.ts';
import { rlimits } from './rlimits.ts';
import type { OciProcess } from './oci-types.ts';

/** Where --init has its program mounted. */
export const INIT_TARGET = '/run/podman-init';

/** Throws COMMAND_NOT_FOUND (nothing to run), SUBID_RANGE_MISSING (the user does not exist here). */
export function containerProcess(config: ContainerConfig, facts: StartFacts, defaults: Defaults): OciProcess {
  const identity = facts.process;
  if (config.argv.length === 0) {
    throw new EngineError('COMMAND_NOT_FOUND', 'no command or entrypoint provided, and no CMD or ENTRYPOINT from image', { exitCode: 127 });
  }
  checkMapped(config, facts.availableIds, identity);
  return {
    ...(config.terminal && { terminal: true }),
    user: user(config, identity, [...identity.additionalGids, ...(facts.cdi?.additionalGids ?? [])]),
    args: startArgv(config),
    env: startEnv(config, facts),
    cwd: config.workdir,
    capabilities: containerCapabilities({ ...config, base: defaults.capabilities }, identity.uid),
    rlimits: rlimits(config.ulimits, facts.hostRlimits, config.hostUlimits),
    ...(config.security.noNewPrivileges === true && { noNewPrivileges: true }),
    ...(config.oomScoreAdj !== undefined && { oomScoreAdj: config.oomScoreAdj }),
  };
}

/** What pid 1 is called with. */
export function startArgv(config: ContainerConfig): readonly string[] {
  return config.initPath === undefined ? config.argv : [INIT_TARGET, '--', ...config.argv];
}

export interface ExecOptions {
  readonly argv: readonly string[];
  /** `-e`, in order. */
  readonly env: readonly (readonly [key: string, value: string])[];
  readonly terminal: boolean;
  readonly workdir?: string;
  /** As asked for with `-u`; absent: the container's own. */
  readonly user?: string;
  readonly privileged: boolean;
  /** Ids that lichen's own user namespace has. */
  readonly availableIds: StartFacts['availableIds'];
  /** Variables that are secrets. */
  readonly secretEnv?: StartFacts['secretEnv'];
}

/** A further process of a running container. `identity` is `options.user` (or the container's) looked up. Throws INVALID_ARGUMENT, SUBID_RANGE_MISSING. */
export function execProcess(
  config: ContainerConfig,
  identity: ProcessIdentity,
  options: ExecOptions,
  defaults: Defaults = DEFAULTS,
): OciProcess {
  if (options.argv.length === 0) {
    throw new EngineError('INVALID_ARGUMENT', 'must provide a non-empty command to start an exec session: invalid argument');
  }
  checkMapped(config, options.availableIds, identity);
  const sameUser = options.user === undefined || options.user === config.user;
  const container = containerCapabilities({ ...config, base: defaults.capabilities }, sameUser ? identity.uid : 0);
  const env = new Map(config.env.map(splitVariable));
  if (options.terminal && !env.has('TERM')) env.set('TERM', 'xterm');
  for (const [key, value] of [...(options.secretEnv ?? []), ...options.env]) env.set(key, value);
  if (!env.has('HOME')) env.set('HOME', identity.home);
  return {
    ...(options.terminal && { terminal: true }),
    user: user(config, identity, [...new Set([identity.gid, ...identity.additionalGids])]),
    args: options.argv,
    env: [...env].map(([key, value]) => `${key}=${value}`),
    cwd: options.workdir ?? config.workdir,
    capabilities: execCapabilities(container, { uid: identity.uid, sameUser, privileged: options.privileged }),
    ...(config.security.noNewPrivileges === true && { noNewPrivileges: true }),
  };
}

/** The environment with what is known only now: HOME, HOSTNAME, and systemd's idea of the machine id. */
function startEnv(config: ContainerConfig, facts: StartFacts): string[] {
  const secret = facts.secretEnv ?? [];
  const hidden = new Set(secret.map(([key]) => key));
  const own = hidden.size === 0 ? config.env : config.env.filter((variable) => !hidden.has(splitVariable(variable)[0]));
  const names = new Set([...own.map((variable) => splitVariable(variable)[0]), ...hidden]);
  const known: (readonly [key: string, value: string])[] = [
    ['HOME', facts.process.home],
    ...(config.systemd ? [['container_uuid', config.id.slice(0, 32)] as const] : []),
    ['HOSTNAME', facts.hostname],
  ];
  const late = [...known.filter(([key]) => !names.has(key)), ...secret].map(([key, value]) => `${key}=${value}`);
  if (facts.cdi !== undefined) return withVariables([...own, ...late], facts.cdi.env);
  return [...own, ...late];
}

/** Those given take the place of others of their name. */
function withVariables(env: readonly string[], given: NonNullable<StartFacts['cdi']>['env']): string[] {
  const variables = new Map([...env.map(splitVariable), ...given]);
  return [...variables].map(([key, value]) => `${key}=${value}`);
}

function user(config: ContainerConfig, identity: ProcessIdentity, additionalGids: readonly number[]): OciProcess['user'] {
  const { uid, gid } = identity;
  return { uid, gid, umask: Number.parseInt(config.umask, 8), ...(additionalGids.length > 0 && { additionalGids }) };
}

/** setuid(2) to an id without a mapping fails with a bare EINVAL deep in the runtime; say it here, with the reason. */
function checkMapped(config: ContainerConfig, available: StartFacts['availableIds'], { uid, gid }: ProcessIdentity): void {
  const missing = !hasId(config.idMap?.uids, available.uids, uid)
    ? `user ID ${uid}`
    : !hasId(config.idMap?.gids, available.gids, gid)
      ? `group ID ${gid}`
      : undefined;
  if (missing === undefined) return;
  throw new EngineError('SUBID_RANGE_MISSING', `${missing} does not exist in the user namespace of the container`, {
    hint: remedy(config, available, uid, gid),
  });
}

function remedy({ idMap }: ContainerConfig, available: StartFacts['availableIds'], uid: number, gid: number): string {
  const least = Math.min(available.uids, available.gids);
  const other = least === 1 && idMap === undefined ? ` Or let that ID be yours: --userns keep-id:uid=${uid},gid=${gid}` : '';
  return `${idRemedy(least)}${other}`;
}

function splitVariable(variable: string): [key: string, value: string] {
  const at = variable.indexOf('=');
  return at < 0 ? [variable, ''] : [variable.slice(0, at), variable.slice(at + 1)];
}
