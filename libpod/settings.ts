/** containers.conf(5): the keys that lichen knows. Files are merged in Podman's order; the TOML parser is loaded only if there is one. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { EngineError } from '../core/errors.ts';
import { parseToml } from '../core/toml.ts';
import { parseSizeBytes } from '../core/size.ts';
import { isRecord } from '../core/json.ts';
import type { DefaultNetwork } from '../network/bridge/definition.ts';
import type { SubnetPool } from '../network/bridge/plan.ts';
import { DEFAULTS, type Defaults } from './spec/defaults.ts';

export interface Settings {
  readonly defaults: Defaults;
  /** [engine] */
  readonly runtime: string | undefined;
  readonly cgroupManager: 'systemd' | 'cgroupfs' | undefined;
  readonly conmonPaths: readonly string[];
  readonly eventsLogger: string | undefined;
  readonly detachKeys: string;
  readonly pullPolicy: 'always' | 'missing' | 'never' | 'newer';
  readonly helperDirectories: readonly string[];
  /** [network] pasta_options, and network_cmd_options of [engine] for slirp4netns */
  readonly pastaOptions: readonly string[];
  readonly slirpOptions: readonly string[];
  /** [network] default_network, default_subnet, default_subnet_pools, network_config_dir, firewall_driver, dns_bind_port */
  readonly bridges: BridgeSettings;
  /** [containers] dns_servers, dns_searches, dns_options, base_hosts_file, host_containers_internal_ip */
  readonly dnsServers: readonly string[];
  readonly dnsSearches: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly baseHostsFile: string;
  readonly hostContainersInternal: string;
  readonly seccompProfile: string | undefined;
  /** [engine] cdi_spec_dirs: later ones count more. */
  readonly cdiDirectories: readonly string[];
  readonly hooksDirectories: readonly string[];
}

export interface BridgeSettings {
  readonly network: DefaultNetwork;
  /** Absent: as Podman's. */
  readonly pools: readonly SubnetPool[] | undefined;
  readonly directory: string | undefined;
  readonly firewall: string | undefined;
  readonly dnsPort: number | undefined;
}

/** Later files win, key by key; `modules` (`--module`) come after them. Throws CONFIG (which file, which key, what is wrong). */
export async function loadSettings(env: NodeJS.ProcessEnv, userConfig: string, modules: readonly string[]): Promise<Settings> {
  const files = configFiles(
    env,
    userConfig,
    modules.map((name) => moduleFile(name, userConfig)),
  );
  let merged: Tables = {};
  for (const file of files) merged = merge(merged, await readToml(file));
  return fromTables(merged);
}

type Table = Readonly<Record<string, unknown>>;
type Tables = Readonly<Record<string, Table>>;

/** Throws CONFIG with the status that Podman ends with. */
function moduleFile(name: string, userConfig: string): string {
  const directories = [...new Set([userConfig, '/etc/containers', '/usr/share/containers'])];
  const places = isAbsolute(name) ? [name] : directories.map((directory) => join(directory, 'containers.conf.modules', name));
  const found = places.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new EngineError('CONFIG', `could not resolve module ${JSON.stringify(name)}: there is no ${places.join(', no ')}`, {
    exitCode: 1,
    hint: 'Give an absolute path, or put the file into one of the directories.',
  });
}

function configFiles(env: NodeJS.ProcessEnv, userConfig: string, modules: readonly string[]): string[] {
  const override = env['CONTAINERS_CONF_OVERRIDE'];
  const only = env['CONTAINERS_CONF'];
  const usual = [
    '/usr/share/containers/containers.conf',
    '/etc/containers/containers.conf',
    ...dropIns('/etc/containers/containers.conf.d'),
  ];
  const own =
    userConfig === '/etc/containers' ? [] : [join(userConfig, 'containers.conf'), ...dropIns(join(userConfig, 'containers.conf.d'))];
  return [...(only ? [only] : [...usual, ...own].filter((file) => existsSync(file))), ...modules, ...(override ? [override] : [])];
}

function dropIns(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith('.conf'))
    .toSorted()
    .map((name) => join(directory, name));
}

async function readToml(file: string): Promise<Tables> {
  try {
    return (await parseToml(readFileSync(file, 'utf8'))) as Tables;
  } catch (cause) {
    throw new EngineError('CONFIG', `${file}: ${(cause as Error).message.split('\n')[0]}`, {
      cause,
      hint: 'Mend the file, or set CONTAINERS_CONF to another one.',
    });
  }
}

/** An array that holds `{append = true}` is added to what earlier files say. */
function merge(base: Tables, over: Tables): Tables {
  const out: Record<string, Table> = { ...base };
  for (const [section, table] of Object.entries(over)) {
    const merged: Record<string, unknown> = { ...out[section] };
    for (const [key, value] of Object.entries(table)) {
      const appends = Array.isArray(value) && value.some((item) => isAppend(item));
      const items = Array.isArray(value) ? value.filter((item) => !isAppend(item)) : value;
      merged[key] = appends ? [...((merged[key] as unknown[] | undefined) ?? []), ...(items as unknown[])] : items;
    }
    out[section] = merged;
  }
  return out;
}

function isAppend(item: unknown): boolean {
  return typeof item === 'object' && item !== null && 'append' in item && item.append === true;
}

function fromTables(tables: Tables): Settings {
  const containers = reader(tables, 'containers');
  const engine = reader(tables, 'engine');
  const network = reader(tables, 'network');
  const manager = engine.text('cgroup_manager');
  const shm = containers.text('shm_size');
  const initPath = containers.text('init_path');
  const timezone = containers.text('tz');
  return {
    defaults: {
      ...DEFAULTS,
      capabilities: containers.list('default_capabilities') ?? DEFAULTS.capabilities,
      sysctls: pairs(containers.list('default_sysctls')) ?? DEFAULTS.sysctls,
      env: containers.list('env') ?? DEFAULTS.env,
      httpProxy: containers.flag('http_proxy') ?? DEFAULTS.httpProxy,
      annotations: pairs(containers.list('annotations')) ?? DEFAULTS.annotations,
      init: containers.flag('init') ?? DEFAULTS.init,
      ...(initPath ? { initPath } : {}),
      pidsLimit: containers.number('pids_limit') ?? DEFAULTS.pidsLimit,
      shmSizeBytes: shm ? parseSizeBytes(shm) : DEFAULTS.shmSizeBytes,
      umask: containers.text('umask') ?? DEFAULTS.umask,
      ...(timezone ? { timezone } : {}),
      stopTimeoutSeconds: engine.number('stop_timeout') ?? DEFAULTS.stopTimeoutSeconds,
      logDriver: containers.text('log_driver') || DEFAULTS.logDriver,
      logTag: containers.text('log_tag') ?? DEFAULTS.logTag,
      logMaxSizeBytes: containers.number('log_size_max') ?? DEFAULTS.logMaxSizeBytes,
      rootlessNetwork: network.text('default_rootless_network_cmd') === 'slirp4netns' ? 'slirp4netns' : 'pasta',
      readOnly: containers.flag('read_only') ?? DEFAULTS.readOnly,
    },
    runtime: engine.text('runtime') || undefined,
    cgroupManager: manager === 'systemd' || manager === 'cgroupfs' ? manager : undefined,
    conmonPaths: engine.list('conmon_path') ?? [],
    eventsLogger: engine.text('events_logger') || undefined,
    detachKeys: engine.text('detach_keys') ?? 'ctrl-p,ctrl-q',
    pullPolicy: (engine.text('pull_policy') as Settings['pullPolicy'] | undefined) ?? 'missing',
    helperDirectories: engine.list('helper_binaries_dir') ?? [],
    pastaOptions: network.list('pasta_options') ?? [],
    slirpOptions: engine.list('network_cmd_options') ?? [],
    bridges: {
      network: { name: network.text('default_network') || 'podman', subnet: network.text('default_subnet') || '10.88.0.0/16' },
      pools: network.pools('default_subnet_pools'),
      directory: network.text('network_config_dir') || undefined,
      firewall: network.text('firewall_driver') || undefined,
      dnsPort: network.number('dns_bind_port'),
    },
    dnsServers: containers.list('dns_servers') ?? [],
    dnsSearches: containers.list('dns_searches') ?? [],
    dnsOptions: containers.list('dns_options') ?? [],
    baseHostsFile: containers.text('base_hosts_file') ?? '',
    hostContainersInternal: containers.text('host_containers_internal_ip') ?? '',
    cdiDirectories: engine.list('cdi_spec_dirs') ?? ['/etc/cdi', '/var/run/cdi'],
    hooksDirectories: engine.list('hooks_dir') ?? ['/usr/share/containers/oci/hooks.d'],
    seccompProfile: containers.text('seccomp_profile') || undefined,
  };
}

interface Reader {
  text(key: string): string | undefined;
  number(key: string): number | undefined;
  flag(key: string): boolean | undefined;
  list(key: string): readonly string[] | undefined;
  pools(key: string): readonly SubnetPool[] | undefined;
}

function reader(tables: Tables, section: string): Reader {
  const table = tables[section] ?? {};
  const typed = <T>(key: string, type: string, is: (value: unknown) => boolean): T | undefined => {
    const value = table[key];
    if (value === undefined) return undefined;
    if (!is(value)) throw new EngineError('CONFIG', `containers.conf: [${section}] ${key} must be ${type}`);
    return value as T;
  };
  return {
    text: (key) => typed<string>(key, 'a string', (value) => typeof value === 'string'),
    number: (key) => typed<number>(key, 'a number', (value) => typeof value === 'number' && Number.isSafeInteger(value)),
    flag: (key) => typed<boolean>(key, 'true or false', (value) => typeof value === 'boolean'),
    list: (key) =>
      typed<string[]>(key, 'a list of strings', (value) => Array.isArray(value) && value.every((item) => typeof item === 'string')),
    pools: (key) => typed<SubnetPool[]>(key, 'a list of {base, size}', (value) => Array.isArray(value) && value.every(isPool)),
  };
}

function isPool(value: unknown): boolean {
  return isRecord(value) && typeof value['base'] === 'string' && typeof value['size'] === 'number';
}

function pairs(list: readonly string[] | undefined): Readonly<Record<string, string>> | undefined {
  if (list === undefined) return undefined;
  return Object.fromEntries(list.map((item) => [item.slice(0, item.indexOf('=')), item.slice(item.indexOf('=') + 1)]));
}
