/** The keys that each kind of Quadlet file may have in its group, and what to say of one that it may not have. */
import { nearest } from '../../core/edit-distance.ts';

export const KINDS = ['image', 'network', 'volume', 'build', 'artifact', 'pod', 'kube', 'container'] as const;
export type Kind = (typeof KINDS)[number];

/** The group of a kind is its name with a capital letter. */
export const GROUP: Readonly<Record<Kind, string>> = {
  image: 'Image',
  network: 'Network',
  volume: 'Volume',
  build: 'Build',
  artifact: 'Artifact',
  pod: 'Pod',
  kube: 'Kube',
  container: 'Container',
};

const EVERYWHERE = 'ContainersConfModule GlobalArgs PodmanArgs ServiceName';
const USERS = 'GIDMap RemapGid RemapUid RemapUidSize RemapUsers SubGIDMap SubUIDMap UIDMap UserNS';

const WORDS: Readonly<Record<Kind, string>> = {
  artifact: 'Artifact AuthFile CertDir Creds DecryptionKey Quiet Retry RetryDelay TLSVerify',
  build: `Annotation Arch AuthFile BuildArg DNS DNSOption DNSSearch Environment File ForceRM GroupAdd IgnoreFile ImageTag Label Network Pull Retry
    RetryDelay Secret SetWorkingDirectory TLSVerify Target Variant Volume`,
  container: `${USERS} AddCapability AddDevice AddHost Annotation AppArmor AutoUpdate CgroupsMode ContainerName DNS DNSOption DNSSearch DropCapability
    Entrypoint Environment EnvironmentFile EnvironmentHost Exec ExposeHostPort Group GroupAdd HealthCmd HealthInterval HealthLogDestination
    HealthMaxLogCount HealthMaxLogSize HealthOnFailure HealthRetries HealthStartPeriod HealthStartupCmd HealthStartupInterval HealthStartupRetries
    HealthStartupSuccess HealthStartupTimeout HealthTimeout HostName HttpProxy IP IP6 Image Label LogDriver LogOpt Mask Memory Mount Network
    NetworkAlias NoNewPrivileges Notify PidsLimit Pod PublishPort Pull ReadOnly ReadOnlyTmpfs ReloadCmd ReloadSignal Retry RetryDelay Rootfs RunInit
    SeccompProfile Secret SecurityLabelDisable SecurityLabelFileType SecurityLabelLevel SecurityLabelNested SecurityLabelType ShmSize StartWithPod
    StopSignal StopTimeout Sysctl Timezone Tmpfs Ulimit Unmask User VolatileTmp Volume WorkingDir`,
  image: 'AllTags Arch AuthFile CertDir Creds DecryptionKey Image ImageTag OS Policy Retry RetryDelay TLSVerify Variant',
  kube: `AutoUpdate ConfigMap ExitCodePropagation KubeDownForce LogDriver LogOpt Network PublishPort RemapGid RemapUid RemapUidSize RemapUsers
    SetWorkingDirectory UserNS Yaml`,
  network: `DNS DisableDNS Driver Gateway IPAMDriver IPRange IPv6 InterfaceName Internal Label NetworkDeleteOnStop NetworkName Options Subnet`,
  pod: `${USERS} AddHost DNS DNSOption DNSSearch ExitPolicy HostName IP IP6 Label Network NetworkAlias PodName PublishPort ShmSize StopTimeout Volume`,
  volume: 'Copy Device Driver Group Image Label Options Type User VolumeName',
};

export const QUADLET_GROUP = 'Quadlet';
const QUADLET_KEYS = ['DefaultDependencies'];

const tables = new Map<string, readonly string[]>();

/** Undefined for a group that is not ours: systemd reads it. */
export function keysOf(kind: Kind, group: string): readonly string[] | undefined {
  if (group === QUADLET_GROUP) return QUADLET_KEYS;
  if (group !== GROUP[kind]) return undefined;
  const known = tables.get(kind);
  if (known !== undefined) return known;
  const keys = `${EVERYWHERE} ${WORDS[kind]}`.split(/\s+/);
  tables.set(kind, keys);
  return keys;
}

/** Undefined where nothing is near. */
export function suggestKey(kind: Kind, group: string, typed: string): string | undefined {
  const keys = keysOf(kind, group) ?? [];
  const near = nearest(keys, typed, Math.min(3, typed.length / 2), (word) => word.toLowerCase());
  if (near !== undefined) return `Did you mean ${near}?`;
  const elsewhere = KINDS.filter((other) => other !== kind && keysOf(other, GROUP[other])!.includes(typed));
  return elsewhere.length > 0 ? `${typed} is a key of ${elsewhere.map((other) => `[${GROUP[other]}]`).join(', ')}` : undefined;
}
