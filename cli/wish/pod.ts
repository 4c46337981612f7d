/** From the flags of `pod create` to a PodWish. */
import { defined } from '../../libpod/spec/defined.ts';
import { invalid } from '../../libpod/spec/parse/go.ts';
import { parseRestartPolicy } from '../../libpod/spec/parse/words.ts';
import type { ContainerWish, PodWish, Resources, RestartPolicy, SharedNamespace } from '../../libpod/spec/wish.ts';
import type { ContainerConfig } from '../../libpod/spec/container.ts';
import type { podCloneFace } from '../faces/pod-clone.ts';
import type { podCreateFace } from '../faces/pod-create.ts';
import type { POD_CONTAINER } from '../faces/shared-pod.ts';
import type { FlagValues } from '../flag.ts';
import { splitArguments } from '../split.ts';
import { assembleWish, type WishFlags, type WishSource } from './assemble.ts';
import { CREATE_FLAGS } from './flags.ts';
import { FLAGS_OF_NEW_POD, NEW_POD } from './membership.ts';

export type PodFlags = FlagValues<typeof podCreateFace.flags>;
/** What `pod create` and `pod clone` have in common. */
type ContainerPart = FlagValues<typeof POD_CONTAINER>;
export type PodSource = Omit<WishSource, 'flags'> & { readonly flags: PodFlags };

const DEFAULT_SHARED: readonly SharedNamespace[] = ['ipc', 'net', 'uts'];

/** Throws INVALID_ARGUMENT with Podman's words. Reads label files. */
export function podWish(source: PodSource): PodWish {
  const { flags, given, args } = source;
  const shared = parseShared(flags.share);
  const restart = flags.restart === undefined ? undefined : named(() => parseRestartPolicy(flags.restart!));
  const hasInfra = flags.infra && shared.length > 0;
  if (!hasInfra) refuseWithoutInfra(flags, given);
  const { infra, resources } = assembled(source, hasInfra ? flags['infra-image'] : undefined);
  return {
    ...defined({
      name: flags.name || args[0] || undefined,
      hostname: flags.hostname || undefined,
      cgroupParent: flags['cgroup-parent'] || undefined,
      restart,
      infra: hasInfra ? infra : undefined,
    }),
    createCommand: source.argv,
    labels: infra.labels,
    exitPolicy: parseExitPolicy(flags['exit-policy']),
    shared,
    shareParent: flags['share-parent'],
    resources,
  };
}

/** `--pod new:NAME`: a pod for one container, with what the container asks for as regards its network and its names. */
export function newPodWish(source: WishSource): PodWish {
  const name = source.flags.pod!.slice(NEW_POD.length);
  const asked = Object.fromEntries(FLAGS_OF_NEW_POD.map((flag) => [flag, source.flags[flag]]));
  const infra = assembleWish({ ...source, args: ['/'], flags: { ...untyped(), ...asked, rootfs: true }, given: new Set(FLAGS_OF_NEW_POD) });
  const { restart } = source.flags;
  return {
    name,
    ...defined({ hostname: source.flags.hostname || undefined, restart: restart === undefined ? undefined : parseRestartPolicy(restart) }),
    createCommand: source.argv,
    labels: {},
    exitPolicy: 'continue',
    shared: DEFAULT_SHARED,
    shareParent: true,
    resources: {},
    infra: { ...infra, createCommand: [] },
  };
}

export interface ClonedInfra {
  readonly resources: Resources;
  readonly restart?: RestartPolicy;
  readonly hostname?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly infra: Partial<ContainerConfig>;
  /** As `pod create` would ask it of its infra container. */
  readonly asked: ContainerWish;
}

/** What the flags of `pod clone` change of the pod and of its infra container. Throws INVALID_ARGUMENT. */
export function clonedInfra(source: Omit<WishSource, 'flags'> & { readonly flags: FlagValues<typeof podCloneFace.flags> }): ClonedInfra {
  const { flags } = source;
  const { infra: wish, resources } = assembled(source, undefined);
  const { restart, labels, hostname, security, devices, cdiDevices, sysctls } = wish;
  const { shmSizeBytes, systemdTmpfsBytes, entrypoint, monitorPidFile } = wish;
  return {
    ...defined({ restart, hostname }),
    resources,
    labels,
    asked: wish,
    infra: defined({
      name: flags['infra-name'] || undefined,
      monitorPidFile,
      restart,
      shmSizeBytes,
      systemdTmpfsBytes,
      security: flags['security-opt'].length > 0 ? security : undefined,
      devices: devices.length > 0 ? devices : undefined,
      cdiDevices,
      sysctls: Object.keys(sysctls).length > 0 ? sysctls : undefined,
      ...(entrypoint && { entrypoint, argv: entrypoint }),
    }),
  };
}

/** What the flags of the pod ask of its infra container. */
function assembled(
  source: Omit<WishSource, 'flags'> & { readonly flags: ContainerPart },
  image: string | undefined,
): { readonly infra: ContainerWish; readonly resources: Resources } {
  const { flags } = source;
  const asked = Object.fromEntries(Object.entries(flags).filter(([name]) => Object.hasOwn(CREATE_FLAGS, name)));
  const own = {
    name: flags['infra-name'],
    // The pod's own, which is written.
    'pod-id-file': undefined,
    rootfs: !image,
    'conmon-pidfile': flags['infra-conmon-pidfile'],
  };
  const wish = assembleWish({ ...source, args: [image || '/'], flags: { ...untyped(), ...asked, ...own } });
  const entrypoint = flags['infra-command']?.split(' ').filter((word) => word !== '');
  const infra = { ...wish, createCommand: [], resources: {}, ...(entrypoint && entrypoint.length > 0 ? { entrypoint } : {}) };
  // The infra container is but a part of what the limits are for.
  return { infra, resources: wish.resources };
}

/** Every flag as if it had not been typed. */
function untyped(): WishFlags {
  return splitArguments(CREATE_FLAGS, [], { interspersed: false, path: 'create' }).values as WishFlags;
}

/** With `+` before it the list is added to what is shared anyway. */
function parseShared(text: string): readonly SharedNamespace[] {
  const isAdded = text.startsWith('+');
  const words = (isAdded ? text.slice(1) : text).split(',').filter((word) => word !== '');
  const shared = words.flatMap((word) => (word === 'none' ? [] : [parseNamespaceName(word)]));
  return [...new Set([...(isAdded ? DEFAULT_SHARED : []), ...shared])].toSorted();
}

function parseNamespaceName(text: string): SharedNamespace {
  if (text === 'cgroup' || text === 'ipc' || text === 'net' || text === 'pid' || text === 'user' || text === 'uts') return text;
  throw invalid(`invalid kernel namespace to share: ${text}. Options are: cgroup, ipc, net, pid, uts or none`);
}

function parseExitPolicy(text: string): PodWish['exitPolicy'] {
  if (text === 'continue' || text === 'stop') return text;
  if (text === '') return 'continue';
  throw invalid(`running pod create option: invalid pod exit policy: ${JSON.stringify(text)}`);
}

function refuseWithoutInfra(flags: PodFlags, given: ReadonlySet<string>): void {
  if (flags['infra-name'] !== undefined) throw invalid('NoInfra and InfraName are mutually exclusive pod options: invalid pod spec');
  if (flags['add-host'].length > 0) throw invalid('NoInfra and HostAdd are mutually exclusive pod options: invalid pod spec');
  if (flags.dns.length > 0) throw invalid('NoInfra and DNSServer are mutually exclusive pod options: invalid pod spec');
  if (flags['no-hosts']) throw invalid('cannot specify --no-hosts without an infra container');
  if (flags.ip !== undefined) throw invalid('cannot set --ip without infra container: invalid argument');
  if (flags.publish.length > 0) throw invalid('you must have an infra container to publish port bindings to the host');
  if (given.has('network')) throw invalid('NoInfra and network modes cannot be used together');
}

function named<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw invalid((error as Error).message.replace(/^running container/, 'running pod'));
  }
}
