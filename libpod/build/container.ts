/** The container of a RUN step: an OCI bundle that lasts as long as the step, in no table and without a monitor. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRequest } from '../../build/machine.ts';
import { asId, shortId, type ContainerId } from '../../core/id.ts';
import { EngineError } from '../../core/errors.ts';
import { packageWords } from '../../host/distribution.ts';
import { runsArchitecture } from '../../host/binfmt.ts';
import { freePort } from '../../host/free-port.ts';
import { availableIds, readIdMap } from '../../host/idmap.ts';
import { mount, MS, unmountAll } from '../../host/mount.ts';
import { randomHex } from '../../host/random.ts';
import { hostRlimits } from '../../host/rlimit.ts';
import { hostPlatform } from '../../storage/platform.ts';
import { mountFlags } from '../container/create.ts';
import { gatherFacts } from '../container/facts.ts';
import { writeNetworkFiles } from '../container/files.ts';
import { defaultNetworkMode, needsNamespace } from '../container/network.ts';
import { placesOf } from '../container/places.ts';
import type { Engine } from '../engine.ts';
import type { ContainerConfig } from '../spec/container.ts';
import { ociConfig } from '../spec/oci.ts';
import type { OciConfig } from '../spec/oci-types.ts';
import { resolveContainer } from '../spec/resolve.ts';
import type { ContainerWish, NetworkMode } from '../spec/wish.ts';
import type { ContainerRecord } from '../state/containers.ts';
import type { BuildNetwork } from './network.ts';

export interface StepOutput {
  readonly stdout: number;
  readonly stderr: number;
}

export interface StepContainer {
  readonly engine: Engine;
  /** What the flags of the build say of its containers. */
  readonly wish: ContainerWish;
  readonly network: BuildNetwork;
  /** Directory of the build, in the run directory. */
  readonly directory: string;
  /** Of a stage, counted from 0. */
  readonly output: (stage: number) => StepOutput;
  readonly stdin: number | undefined;
  readonly warn: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Resolves with the exit status. Throws COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE, NO_SUCH_USER, NOT_SUPPORTED (its architecture), HELPER_*, NETWORK_SETUP, CGROUP_UNAVAILABLE. */
export async function runInStep(step: StepContainer, request: RunRequest): Promise<number> {
  const { engine, output, stdin, signal } = step;
  checkArchitecture(request.architecture);
  const id = asId<ContainerId>(randomHex(32));
  const bundle = join(step.directory, id);
  mkdirSync(join(bundle, 'shm'), { recursive: true, mode: 0o700 });
  const record = stepRecord(step, id, request);
  const places = { ...placesOf(engine, id), run: bundle, merged: request.root, shm: join(bundle, 'shm') };
  const runtime = await engine.runtime();
  let ending: Promise<void> | undefined;
  const end = (): void => void (ending = runtime.delete(id).catch(() => undefined));
  try {
    const connected = needsNamespace(record.config) ? await step.network.connect(record.config) : undefined;
    mount('shm', places.shm, 'tmpfs', MS.NOSUID | MS.NODEV | MS.NOEXEC, `mode=1777,size=${record.config.shmSizeBytes}`);
    const facts = await gatherFacts(engine, record, places, request.root, connected?.netns);
    const oci = await hooked(step, ociConfig(record.config, facts, engine.settings.defaults), record.config);
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(oci), { mode: 0o600 });
    writeNetworkFiles(engine, record, places, connected?.attachment, facts.hostname);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', end);
    return await runtime.run(id, { bundle, stdin, ...output(request.stage), withoutCgroup: record.config.cgroups === 'disabled' });
  } finally {
    signal?.removeEventListener('abort', end);
    // Two at once take away each other's state.
    await ending;
    await runtime.delete(id).catch((error: Error) => step.warn(error.message));
    unmountAll(places.shm);
    rmSync(bundle, { recursive: true, force: true });
  }
}

/** With the hooks that were asked for; those of the machine are for containers alone. */
async function hooked({ engine }: StepContainer, oci: OciConfig, { mounts }: ContainerConfig): Promise<OciConfig> {
  const { hooksDirectories = [] } = engine.options;
  if (hooksDirectories.length === 0) return oci;
  const { withMachineHooks } = await import('../container/hooks.ts');
  const hasBinds = mounts.some(({ type }) => type === 'bind');
  return await withMachineHooks(oci, hooksDirectories, hasBinds);
}

function checkArchitecture(architecture: string): void {
  const own = hostPlatform().architecture;
  if (runsArchitecture(architecture, own)) return;
  throw new EngineError(
    'NOT_SUPPORTED',
    `programs for ${architecture} cannot be run on ${own}: no emulator for them is registered with binfmt_misc`,
    {
      hint: `Install one (${packageWords('qemu-user-static')}), or let RUN be a step of a stage with FROM --platform=$BUILDPLATFORM.`,
    },
  );
}

function stepRecord(step: StepContainer, id: ContainerId, request: RunRequest): ContainerRecord {
  const config = stepConfig(step, id, request);
  return {
    id,
    name: config.name,
    config,
    createdMs: Date.now(),
    status: 'starting',
    runCount: 1,
    restartCount: 0,
    process: undefined,
    monitor: undefined,
    startedMs: undefined,
    finishedMs: undefined,
    exitCode: undefined,
    oomKilled: false,
    stoppedByUser: false,
    error: undefined,
    network: undefined,
    health: undefined,
  };
}

function stepConfig({ engine, wish, warn }: StepContainer, id: ContainerId, request: RunRequest): ContainerConfig {
  const { identity, options, settings } = engine;
  const env = Object.entries(options.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const config = resolveContainer(
    {
      ...wish,
      rootfs: { path: request.root, overlay: false },
      command: request.argv,
      entrypoint: [''],
      user: request.user,
      workdir: request.workdir,
      accounts: { none: true },
      systemd: 'false',
      ...(Object.keys(wish.resources).length === 0 && wish.cgroupParent === undefined ? { cgroups: 'disabled' } : {}),
      mounts: [...wish.mounts, ...request.mounts.map(mountWish)],
      network: { ...wish.network, mode: networkMode(engine, wish, request) },
    },
    {
      id,
      name: `build-${shortId(id)}`,
      createdAt: new Date().toISOString(),
      layers: [],
      rootless: identity.rootless,
      caller: { uid: identity.uid, gid: identity.gid },
      availableIds: { uids: availableIds(readIdMap('uid')), gids: availableIds(readIdMap('gid')) },
      idsNeeded: 0,
      freeIds: { uids: [], gids: [] },
      hostEnv: Object.fromEntries(env),
      hostRlimits: hostRlimits(),
      logPath: '',
      newVolumeName: () => randomHex(32),
      mountFlags,
      volumesFrom: [],
      freePort,
      warn,
    },
    settings.defaults,
  );
  return { ...config, env: [...proxies(wish, config), ...request.env] };
}

/** Of the caller, where the step has none of its own. */
function proxies({ httpProxy }: ContainerWish, { env }: ContainerConfig): readonly string[] {
  return httpProxy === false ? [] : env.filter((variable) => /^(https?|ftp|no)_proxy=/i.test(variable));
}

function networkMode(engine: Engine, wish: ContainerWish, request: RunRequest): NetworkMode {
  if (request.network !== undefined) return { kind: request.network };
  const { mode } = wish.network;
  return mode === undefined || mode.kind === 'private' ? defaultNetworkMode(engine, false) : mode;
}

function mountWish({ type, source, target, options }: RunRequest['mounts'][number]): ContainerWish['mounts'][number] {
  return type === 'bind' ? { type, source, target, options } : { type, target, options };
}
