/** From the container as it is kept, and the facts of the moment, to what an OCI runtime is told (config.json). */
import { kernelRelease } from '../../host/boot.ts';
import { EngineError } from '../../core/errors.ts';
import type { ContainerConfig, StartFacts } from './container.ts';
import { boundingCapabilities } from './capabilities.ts';
import { startAnnotations } from './annotations.ts';
import { DEFAULTS, type Defaults } from './defaults.ts';
import { devices } from './devices.ts';
import { masks } from './masks.ts';
import { rootPropagation } from './mount-options.ts';
import { mounts } from './mounts.ts';
import { namespaces, ociIdMap } from './namespaces.ts';
import { containerProcess } from './process.ts';
import { cgroupsPath, resources } from './resources.ts';
import { seccompFilter, type SeccompFacts } from './seccomp.ts';
import { foreignSysctls } from './sysctls.ts';
import { OCI_VERSION, type OciConfig, type OciSeccomp } from './oci-types.ts';

/**
 * Pure. `defaults` gives what a container has without asking and what is not kept with it: capabilities and the number of processes.
 * Throws COMMAND_NOT_FOUND, SUBID_RANGE_MISSING, CGROUP_UNAVAILABLE, INVALID_ARGUMENT (seccomp profile).
 */
export function ociConfig(
  config: ContainerConfig,
  facts: StartFacts,
  defaults: Defaults = DEFAULTS,
  machine: Machine = { arch: process.arch, kernel: kernelRelease() },
): OciConfig {
  const process = containerProcess(config, facts, defaults);
  const { mounts: deviceMounts, nodes, rules } = devices(config, facts);
  const allMounts = mounts(config, facts, deviceMounts);
  const { masked, readOnly } = masks(config, facts);
  const seccomp = filter(config, facts, defaults, machine);
  const propagation = rootPropagation(allMounts);
  const cgroup = cgroupsPath(config, facts);
  const rdt = rdtClass(config, facts);
  const foreign = foreignSysctls(config, facts.netns);
  const sysctls = Object.fromEntries(Object.entries(config.sysctls).filter(([name]) => !Object.hasOwn(foreign, name)));
  for (const { destination } of allMounts) checkTarget(destination);
  return {
    ociVersion: OCI_VERSION,
    process,
    root: { path: facts.rootfs, ...((config.readOnly || facts.rootfsReadOnly) && { readonly: true }) },
    ...(config.namespaces.uts.kind === 'private' && { hostname: facts.hostname }),
    mounts: allMounts,
    ...(facts.cdi && Object.keys(facts.cdi.hooks).length > 0 && { hooks: facts.cdi.hooks }),
    annotations: { ...config.annotations, ...startAnnotations(config) },
    linux: {
      ...(config.idMap && {
        uidMappings: ociIdMap(config.idMap.uids, facts.idBoundaries?.uids),
        gidMappings: ociIdMap(config.idMap.gids, facts.idBoundaries?.gids),
      }),
      ...(Object.keys(sysctls).length > 0 && { sysctl: sysctls }),
      resources: { ...(rules && { devices: rules }), ...resources(config, facts, defaults.pidsLimit) },
      ...(cgroup !== undefined && { cgroupsPath: cgroup }),
      namespaces: namespaces(config, facts),
      ...(nodes.length > 0 && { devices: nodes }),
      ...(seccomp && { seccomp }),
      ...(propagation !== undefined && { rootfsPropagation: propagation }),
      ...(config.personality !== undefined && { personality: { domain: checkedPersonality(config.personality) } }),
      ...(rdt !== undefined && { intelRdt: { closID: rdt } }),
      ...(masked.length > 0 && { maskedPaths: masked }),
      ...(readOnly.length > 0 && { readonlyPaths: readOnly }),
    },
  };
}

/** What seccomp rules depend on: `process.arch`, the kernel's release. */
export type Machine = Pick<SeccompFacts, 'arch' | 'kernel'>;

function checkedPersonality(text: string): string {
  if (text === 'LINUX' || text === 'LINUX32') return text;
  throw new EngineError('INVALID_ARGUMENT', `unknown persona specified ${JSON.stringify(text)}`, {
    hint: 'It is LINUX or LINUX32.',
    exitCode: 126,
  });
}

function rdtClass(config: ContainerConfig, facts: StartFacts): string | undefined {
  const asked = config.rdtClass ?? facts.cdi?.rdtClass;
  if (asked === undefined || facts.existing('/sys/fs/resctrl/schemata')) return asked;
  throw new EngineError('NOT_SUPPORTED', `--rdt-class ${asked} cannot be applied: /sys/fs/resctrl is not mounted`, {
    hint: "It takes a CPU with Intel's Resource Director Technology: as root, mount -t resctrl resctrl /sys/fs/resctrl.",
    exitCode: 126,
  });
}

function filter(config: ContainerConfig, facts: StartFacts, defaults: Defaults, machine: Machine): OciSeccomp | undefined {
  if (config.privileged || facts.seccomp.kind === 'unconfined') return undefined;
  const capabilities = boundingCapabilities({ ...config, base: defaults.capabilities });
  return seccompFilter(facts.seccomp.document, facts.seccomp.path, { capabilities, ...machine });
}

/** A runtime resolves targets inside the root; a relative or climbing one has no business getting that far. */
function checkTarget(target: string): void {
  if (target.startsWith('/') && !target.split('/').includes('..')) return;
  throw new EngineError('INVALID_ARGUMENT', `invalid container path ${JSON.stringify(target)}, must be an absolute path`);
}
