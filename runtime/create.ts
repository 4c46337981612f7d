/** `create`: from a bundle to a process that waits for its start (runtime-spec runtime.md#create). */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import { filterDevices } from '../host/bpf.ts';
import { Deputy } from '../host/deputy/deputy.ts';
import { OUT } from '../host/deputy/layout.ts';
import { hasOwnIds } from '../host/own-ids.ts';
import { identify } from '../host/pid.ts';
import { readBundle, type Bundle } from './bundle.ts';
import { cgroupDirectory, removeCgroup, setLimits } from './cgroup/cgroup.ts';
import { areDevicesLimited, deviceFilter } from './cgroup/device-filter.ts';
import { placeProcess, type CgroupManager, type PlacedCgroup } from './cgroup/place.ts';
import type { Resources } from './config.ts';
import { runHooks, runHooksAnyway, runInnerHooks } from './hooks.ts';
import { guard } from './set-up/credentials.ts';
import { raiseLoopback, setForeignSysctls, setNames, setSysctls } from './set-up/kernel.ts';
import { setOomScore } from './set-up/limits.ts';
import { enterNamespaces, maySetGroups } from './set-up/namespaces.ts';
import { prepareProcess } from './set-up/process.ts';
import { closeRoot, makeRoot } from './set-up/root.ts';
import { forget, gatePath, keep, OCI_VERSION, reserve, type Kept, type State } from './store.ts';

export interface CreateRequest {
  /** The directory of the runtime's own state. */
  readonly root: string;
  readonly id: string;
  readonly bundle: string;
  readonly pidFile: string | undefined;
  readonly consoleSocket: string | undefined;
  /** What it has as its descriptors from 0 on: ours. */
  readonly fds: readonly (number | 'null')[];
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  readonly cgroupManager: CgroupManager;
}

export interface Created {
  readonly kept: Kept;
  /** The terminal's master, where there is no console socket to send it to; the caller's. */
  readonly master: number | undefined;
}

/** All or nothing: what a failure leaves behind is taken away. Throws EngineError. */
export async function createContainer(request: CreateRequest): Promise<Created> {
  const bundle = readBundle(request.bundle);
  check(bundle, request);
  const directory = reserve(request.root, request.id);
  let cgroup: PlacedCgroup | undefined;
  let begun: State | undefined;
  try {
    using deputy = Deputy.start({ fds: request.fds });
    await enterNamespaces(deputy, {
      linux: bundle.config.linux ?? {},
      beforeUser: () => setForeignSysctls(deputy, bundle.config),
      enterCgroup: async (pid) => {
        cgroup = await placeProcess(pid, { id: request.id, config: bundle.config, manager: request.cgroupManager });
        const { resources = {} } = bundle.config.linux ?? {};
        if (cgroup !== undefined) setLimits(cgroup.path, resources);
        if (!hasOwnIds()) limitDevices(cgroup, resources, request);
      },
    });
    return await setUp(deputy, { request, bundle, directory, cgroup, begin: (state) => (begun = state) });
  } catch (error) {
    if (cgroup !== undefined) await removeCgroup(cgroup.path);
    forget(request.root, request.id);
    if (begun !== undefined) await runHooksAnyway(bundle.config, 'poststop', { ...begun, status: 'stopped' });
    throw error;
  }
}

function check({ config }: Bundle, { consoleSocket }: CreateRequest): void {
  const { process, linux } = config;
  if (process === undefined) throw new EngineError('INVALID_ARGUMENT', 'config.json: process: required');
  if (consoleSocket !== undefined && process.terminal !== true)
    throw new EngineError('INVALID_ARGUMENT', 'a console socket, and process.terminal is not set');
  if (!linux?.namespaces?.some(({ type }) => type === 'mount'))
    throw new EngineError('NOT_SUPPORTED', 'a container needs a mount namespace of its own');
}

/** For the machine's root: a user namespace can make no devices, and opens those that it is shown. Without cgroups there are no rules, as with crun. */
function limitDevices(cgroup: PlacedCgroup | undefined, { devices = [] }: Resources, { cgroupManager }: CreateRequest): void {
  if (!areDevicesLimited(devices) || cgroupManager === 'disabled') return;
  if (cgroup === undefined) throw new EngineError('CGROUP_UNAVAILABLE', 'devices cannot be limited without a cgroup');
  filterDevices(cgroupDirectory(cgroup.path), deviceFilter(devices));
}

interface SetUp {
  readonly request: CreateRequest;
  readonly bundle: Bundle;
  readonly directory: string;
  readonly cgroup: PlacedCgroup | undefined;
  /** Told before the first hook: from then on the hooks of its end are owed. */
  readonly begin: (state: State) => void;
}

async function setUp(deputy: Deputy, { request, bundle, directory, cgroup, begin }: SetUp): Promise<Created> {
  const { config } = bundle;
  const process = config.process!;
  const own = identify(deputy.pid);
  if (own === undefined) throw new EngineError('HELPER_FAILED', "the container's process has ended");
  const kept: Kept = {
    id: request.id,
    ...own,
    bundle: bundle.path,
    rootfs: bundle.rootfs,
    ...(cgroup && { cgroup: cgroup.path, ...(cgroup.scope && { scope: cgroup.scope }) }),
    created: new Date().toISOString(),
    owner: processOwner(),
    annotations: config.annotations ?? {},
  };
  const state = hookState(kept);
  setOomScore(deputy.pid, process.oomScoreAdj);
  const mayGroups = maySetGroups(deputy.pid);
  guard(deputy);
  begin(state);
  await runHooks(config, 'prestart', state);
  await runHooks(config, 'createRuntime', state);
  const hasUserNamespace = config.linux?.namespaces?.some(({ type }) => type === 'user') === true;
  const root = await makeRoot(deputy, {
    bundle,
    areDevicesBound: hasUserNamespace || hasOwnIds(),
    beforePivot: () => runInnerHooks(deputy, config, 'createContainer', state),
    noPivot: request.noPivot,
  });
  setNames(root, config);
  raiseLoopback(root, config);
  setSysctls(root, config);
  const gate = openGateFor(deputy, directory);
  const ready = prepareProcess(root, {
    config,
    process,
    consoleSocket: request.consoleSocket,
    state,
    first: { keyring: request.noNewKeyring ? undefined : request.id },
    maySetGroups: mayGroups,
    closeRoot: () => closeRoot(root, bundle),
  });
  keep(directory, kept, config);
  if (request.pidFile !== undefined) writeFileSync(request.pidFile, String(kept.pid));
  deputy.becomeLater(ready.program, [{ call: 'read', args: [gate, OUT, 1], least: 1 }, ...ready.last]);
  return { kept, master: ready.master };
}

/** Opened for reading and writing: then it does not end before somebody has written. */
function openGateFor(deputy: Deputy, directory: string): number {
  const fd = openSync(gatePath(directory), 'r+');
  try {
    return deputy.give(fd);
  } finally {
    closeSync(fd);
  }
}

function hookState({ id, pid, bundle, rootfs, created, owner, annotations }: Kept): State {
  return { ociVersion: OCI_VERSION, id, status: 'creating', pid, bundle, rootfs, created, owner, annotations };
}

function processOwner(): number {
  return process.geteuid!();
}
