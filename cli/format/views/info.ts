/** `info`: YAML by default, JSON, or a template over the same document. */
import { documentData, type DocumentShape } from '../document.ts';
import { encodeJson, LOOSE } from '../json.ts';
import { formatOne, isJsonFormat } from '../report.ts';
import { encodeYaml } from '../yaml.ts';

/** The document has Podman's JSON keys (`host.arch`). With the last newline, of which YAML has two as in Podman. Throws INVALID_TEMPLATE. */
export async function formatInfo(document: object, format: string | undefined): Promise<string> {
  if (format === undefined || format === '') return `${encodeYaml(document)}\n\n`;
  if (isJsonFormat(format)) return `${encodeJson(withMaps(document), LOOSE)}\n`;
  return formatOne('info', format, documentData({ ...document, Client: null }, SHAPE));
}

const MAPS: ReadonlySet<string> = new Set(['graphOptions', 'graphStatus', 'registries']);

const FIELDS: Readonly<Record<string, string>> = {
  os: 'OS',
  cpus: 'CPUs',
  cpuUtilization: 'CPUUtilization',
  idMappings: 'IDMappings',
  uidmap: 'UIDMap',
  gidmap: 'GIDMap',
  container_id: 'ContainerID',
  host_id: 'HostID',
  ociRuntime: 'OCIRuntime',
  cgroupVersion: 'CgroupsVersion',
  apparmorEnabled: 'AppArmorEnabled',
  seccompEnabled: 'SECCOMPEnabled',
  seccompProfilePath: 'SECCOMPProfilePath',
  selinuxEnabled: 'SELinuxEnabled',
  capabilities: 'DefaultCapabilities',
  slirp4netns: 'Slirp4NetNS',
  dns: 'DNS',
};

const SHAPE: DocumentShape = {
  type: 'system.infoReport',
  types: {
    host: '*define.HostInfo',
    store: '*define.StoreInfo',
    plugins: 'define.Plugins',
    version: 'define.Version',
    security: 'define.SecurityInfo',
    conmon: '*define.ConmonInfo',
    ociRuntime: '*define.OCIRuntimeInfo',
    remoteSocket: '*define.RemoteSocket',
    cpuUtilization: '*define.CPUUsage',
    distribution: 'define.DistributionInfo',
    idMappings: 'define.IDMappings',
    networkBackendInfo: 'types.NetworkInfo',
  },
  maps: MAPS,
  lists: new Set(['authorization', 'cgroupControllers', 'log', 'network', 'volume']),
  times: new Set(),
  fieldName: (key) => (Object.hasOwn(FIELDS, key) ? FIELDS[key]! : key.charAt(0).toUpperCase() + key.slice(1)),
  defaults: { '*define.HostInfo': { EmulatedArchitectures: [] } },
  aliases: {},
};

/** Maps have sorted keys in JSON; the rest keeps its order. */
function withMaps(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => withMaps(item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, item]): [string, unknown] => [name, withMaps(item, name)]);
  return MAPS.has(key) ? new Map(entries) : Object.fromEntries(entries);
}
