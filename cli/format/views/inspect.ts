/** `inspect` of containers and images: JSON, and the documents as templates see them. */
import { documentData, type DocumentShape } from '../document.ts';
import { encodeJson, FIVE_SPACES } from '../json.ts';
import { formatEach, isJsonFormat } from '../report.ts';
import { type GoStruct, NIL_LIST } from '../template/value.ts';

export type InspectKind = 'artifact' | 'container' | 'image' | 'network' | 'pod' | 'volume';

/**
 * The documents under `--format` (absent: JSON), with the last newline.
 * Of containers, images and so on as one list. Throws INVALID_TEMPLATE.
 */
export async function formatInspect(
  documents: readonly { readonly kind: InspectKind; readonly document: object }[],
  format: string | undefined,
): Promise<string> {
  if (format === undefined || format === '' || isJsonFormat(format)) {
    return `${encodeJson(
      documents.map(({ document }) => document),
      FIVE_SPACES,
    )}\n`;
  }
  const data: GoStruct[] = [];
  for (const { kind, document } of documents) {
    if (kind === 'artifact') data.push((await import('./artifact-document.ts')).artifactData(document));
    else data.push(documentData(document, SHAPES[kind]));
  }
  return formatEach('inspect', format, data);
}

/** A container's document as the template of a log's tag sees it: there it has its own type. */
export function tagData(document: object): GoStruct {
  const { defaults, aliases } = SHAPES.container;
  const named = (table: DocumentShape['defaults']): DocumentShape['defaults'] => ({ ...table, [TAGGED]: table[DOCUMENT]! });
  return documentData(document, {
    ...SHAPES.container,
    type: TAGGED,
    defaults: named(defaults),
    aliases: { ...aliases, [TAGGED]: aliases[DOCUMENT]! },
  });
}

const TAGGED = '*define.InspectContainerData';

/** Podman hands its documents over as `interface {}`, and says so in errors. */
const DOCUMENT = 'interface {}';

const MAPS: ReadonlySet<string> = new Set([
  'Annotations',
  'Data',
  'ExposedPorts',
  'Labels',
  'labels',
  'Networks',
  'Options',
  'options',
  'PortBindings',
  'Ports',
  'StorageOpt',
  'Sysctls',
  'Tmpfs',
  'Volumes',
  'containers',
  'interfaces',
  'ipam_options',
]);

const TIMES: ReadonlySet<string> = new Set(['Created', 'CreatedAt', 'created', 'StartedAt', 'FinishedAt', 'CheckpointedAt', 'RestoredAt']);

const LISTS: ReadonlySet<string> = new Set([
  'Args',
  'Binds',
  'Cmd',
  'Entrypoint',
  'Env',
  'ExecIDs',
  'Mounts',
  'PortBindings',
  'Ports',
  'RepoDigests',
  'RepoTags',
]);

/** Where Go's name of a field is not the JSON key; networks have a rule of their own. */
const FIELDS: Readonly<Record<string, string>> = {
  Id: 'ID',
  lockNumber: 'LockNumber',
  Domainname: 'DomainName',
  HealthcheckMaxLogCount: 'HealthMaxLogCount',
  HealthcheckMaxLogSize: 'HealthMaxLogSize',
  sdNotifyMode: 'SdNotifyMode',
  sdNotifySocket: 'SdNotifySocket',
};

const COMMON = {
  type: DOCUMENT,
  maps: MAPS,
  lists: LISTS,
  times: TIMES,
  fieldName: (key: string): string => (Object.hasOwn(FIELDS, key) ? FIELDS[key]! : key),
  defaults: {},
  aliases: { [DOCUMENT]: { Id: 'ID' } },
} as const;

const SHAPES: Readonly<Record<Exclude<InspectKind, 'artifact'>, DocumentShape>> = {
  container: {
    ...COMMON,
    types: {
      State: '*define.InspectContainerState',
      Health: '*define.HealthCheckResults',
      Healthcheck: '*manifest.Schema2HealthConfig',
      Config: '*define.InspectContainerConfig',
      HostConfig: '*define.InspectContainerHostConfig',
      IDMappings: '*define.InspectIDMappings',
      LogConfig: '*define.InspectLogConfig',
      RestartPolicy: '*define.InspectRestartPolicy',
      NetworkSettings: '*define.InspectNetworkSettings',
      Networks: '*define.InspectAdditionalNetwork',
      Ports: 'define.InspectHostPort',
      PortBindings: 'define.InspectHostPort',
      GraphDriver: '*define.DriverData',
      Mounts: 'define.InspectMount',
    },
    defaults: {
      [DOCUMENT]: { SizeRw: null, SizeRootFs: 0, Pod: '', IsInfra: false },
      '*define.InspectContainerState': { Health: null },
      '*define.InspectContainerConfig': {
        Healthcheck: null,
        Volumes: new Map(),
        ExposedPorts: new Map(),
        Labels: new Map(),
        ChrootDirs: [],
        SdNotifySocket: '',
        Secrets: [],
        StartupHealthCheck: null,
        SystemdMode: false,
        Timezone: '',
      },
      '*define.InspectContainerHostConfig': { IDMappings: null, IntelRdtClosID: '' },
      'define.InspectMount': {
        Type: '',
        Name: '',
        Source: '',
        Destination: '',
        Driver: '',
        Mode: '',
        Options: [],
        RW: false,
        Propagation: '',
        SubPath: '',
      },
      '*define.InspectNetworkSettings': { Networks: new Map(), Ports: new Map() },
    },
    aliases: {
      [DOCUMENT]: { Id: 'ID', ImageID: 'Image' },
      '*define.InspectContainerState': { Healthcheck: 'Health' },
      'define.InspectMount': { Src: 'Source', Dst: 'Destination' },
    },
  },
  image: {
    ...COMMON,
    fieldName: (key) => HISTORY_FIELDS.get(key) ?? COMMON.fieldName(key),
    types: { Config: '*v1.ImageConfig', RootFS: '*inspect.RootFS', GraphDriver: '*define.DriverData', History: 'v1.History' },
    defaults: {
      '*v1.ImageConfig': {
        User: '',
        ExposedPorts: new Map(),
        Env: [],
        Entrypoint: [],
        Cmd: [],
        Volumes: new Map(),
        WorkingDir: '',
        Labels: new Map(),
        StopSignal: '',
      },
      'v1.History': { Created: null, CreatedBy: '', Author: '', Comment: '', EmptyLayer: false },
    },
  },
  network: {
    ...COMMON,
    types: { subnets: 'types.Subnet' },
    fieldName: networkField,
    defaults: {
      [DOCUMENT]: {
        NetworkInterface: '',
        Subnets: NIL_LIST,
        Routes: NIL_LIST,
        NetworkDNSServers: NIL_LIST,
        Labels: new Map(),
        Options: new Map(),
      },
      'types.Subnet': { LeaseRange: null },
    },
  },
  pod: {
    ...COMMON,
    types: { InfraConfig: '*define.InspectPodInfraConfig', Containers: 'define.InspectPodContainerInfo', mounts: 'define.InspectMount' },
    fieldName: (key) => (Object.hasOwn(POD_FIELDS, key) ? POD_FIELDS[key]! : COMMON.fieldName(key)),
    defaults: {
      [DOCUMENT]: {
        Namespace: '',
        Labels: new Map(),
        CgroupPath: '',
        InfraContainerID: '',
        InfraConfig: null,
        SharedNamespaces: [],
        Containers: [],
        CPUPeriod: 0,
        CPUQuota: 0,
        CPUShares: 0,
        CPUSetCPUs: '',
        CPUSetMems: '',
        Mounts: [],
        Devices: [],
        BlkioDeviceReadBps: [],
        BlkioDeviceWriteBps: [],
        VolumesFrom: [],
        SecurityOpts: [],
        MemoryLimit: 0,
        MemorySwap: 0,
        BlkioWeight: 0,
        BlkioWeightDevice: [],
        RestartPolicy: '',
      },
    },
  },
  volume: { ...COMMON, types: {}, defaults: { [DOCUMENT]: { UID: 0, GID: 0, Anonymous: false, Status: new Map() } } },
};

const POD_FIELDS: Readonly<Record<string, string>> = {
  Id: 'ID',
  cpu_period: 'CPUPeriod',
  cpu_quota: 'CPUQuota',
  cpu_shares: 'CPUShares',
  cpuset_cpus: 'CPUSetCPUs',
  cpuset_mems: 'CPUSetMems',
  mounts: 'Mounts',
  security_opt: 'SecurityOpts',
  memory_limit: 'MemoryLimit',
  memory_swap: 'MemorySwap',
  blkio_weight: 'BlkioWeight',
  pid_ns: 'PidNS',
  userns: 'UserNS',
  uts_ns: 'UtsNS',
};

const HISTORY_FIELDS: ReadonlyMap<string, string> = new Map([
  ['created', 'Created'],
  ['created_by', 'CreatedBy'],
  ['author', 'Author'],
  ['comment', 'Comment'],
  ['empty_layer', 'EmptyLayer'],
]);

const NETWORK_FIELDS: Readonly<Record<string, string>> = {
  id: 'ID',
  ipv6_enabled: 'IPv6Enabled',
  dns_enabled: 'DNSEnabled',
  ipam_options: 'IPAMOptions',
  network_dns_servers: 'NetworkDNSServers',
};

/** A network as templates see it, with lists and maps where the document leaves them out. */
export function networkData(document: object, type: string): GoStruct {
  const { defaults } = SHAPES.network;
  return documentData(document, { ...SHAPES.network, type, defaults: { ...defaults, [type]: defaults[DOCUMENT]! } });
}

/** `network_interface` is NetworkInterface. */
function networkField(key: string): string {
  if (Object.hasOwn(NETWORK_FIELDS, key)) return NETWORK_FIELDS[key]!;
  return key.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
