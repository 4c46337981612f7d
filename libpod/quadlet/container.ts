/** `.container`: a container that systemd runs, `lichen run` in its foreground for as long as conmon is its main process. */
import { boolFlag, type FlagRules, flagsOf, pair } from './flags.ts';
import { fileFlags, imageName, mountFlags, networkFlags, resourceName, volumeFlags } from './references.ts';
import type { Service } from './service.ts';
import type { Source } from './source.ts';
import { userNamespaceFlags } from './user-namespace.ts';

const LOGS: FlagRules = { text: { LogDriver: '--log-driver' }, words: { LogOpt: '--log-opt' } };

const FLAGS: FlagRules = {
  text: {
    Timezone: '--tz',
    PidsLimit: '--pids-limit',
    Memory: '--memory',
    ShmSize: '--shm-size',
    StopSignal: '--stop-signal',
    StopTimeout: '--stop-timeout',
    Pull: '--pull',
    Retry: '--retry',
    RetryDelay: '--retry-delay',
    HostName: '--hostname',
    WorkingDir: '--workdir',
    IP: '--ip',
    IP6: '--ip6',
  },
  values: {
    DNS: '--dns',
    DNSOption: '--dns-option',
    DNSSearch: '--dns-search',
    AddHost: '--add-host',
    GroupAdd: '--group-add',
    NetworkAlias: '--network-alias',
    Ulimit: '--ulimit',
    Tmpfs: '--tmpfs',
  },
  bool: { RunInit: '--init', EnvironmentHost: '--env-host', HttpProxy: '--http-proxy', ReadOnlyTmpfs: '--read-only-tmpfs' },
  words: { Sysctl: '--sysctl' },
  pairs: { Environment: '--env', Label: '--label', Annotation: '--annotation' },
};

const HEALTH: FlagRules = {
  text: {
    HealthCmd: '--health-cmd',
    HealthInterval: '--health-interval',
    HealthOnFailure: '--health-on-failure',
    HealthLogDestination: '--health-log-destination',
    HealthMaxLogCount: '--health-max-log-count',
    HealthMaxLogSize: '--health-max-log-size',
    HealthRetries: '--health-retries',
    HealthStartPeriod: '--health-start-period',
    HealthTimeout: '--health-timeout',
    HealthStartupCmd: '--health-startup-cmd',
    HealthStartupInterval: '--health-startup-interval',
    HealthStartupRetries: '--health-startup-retries',
    HealthStartupSuccess: '--health-startup-success',
    HealthStartupTimeout: '--health-startup-timeout',
  },
};

/** All keys that are flags, one for one: for who writes such a file. */
export const CONTAINER_RULES: FlagRules = {
  text: { ...LOGS.text, ...FLAGS.text, ...HEALTH.text, CgroupsMode: '--cgroups', Entrypoint: '--entrypoint', User: '--user' },
  bool: { ...FLAGS.bool, ReadOnly: '--read-only' },
  values: { ...FLAGS.values, ExposeHostPort: '--expose', Network: '--network', PublishPort: '--publish', Volume: '--volume' },
  words: { ...LOGS.words, ...FLAGS.words, AddCapability: '--cap-add', DropCapability: '--cap-drop', Secret: '--secret' },
  pairs: FLAGS.pairs!,
};

/** Throws QuadletError. Returns the pod that the container is in, if it starts with it. */
export function convertContainer(service: Service): Source | undefined {
  const { source, unit } = service;
  const name = source.text('ContainerName') ?? (source.stem.includes('@') ? 'systemd-%p_%i' : 'systemd-%N');
  const image = root(service);
  warnOfUsers(source);
  prepareService(service, name);

  const words = service.command('run', '--name', name, '--replace', '--rm', ...flagsOf(source, LOGS), ...cgroupFlags(source));
  const entrypoint = source.givenText('Entrypoint');
  if (entrypoint !== undefined) words.push(`--entrypoint=${entrypoint}`);
  const update = source.text('AutoUpdate');
  if (update !== undefined) words.push('--label', `io.containers.autoupdate=${update}`);
  words.push(...flagsOf(source, FLAGS), ...networkFlags(service), ...startFlags(service), ...securityFlags(service));
  words.push(...userFlags(source), ...userNamespaceFlags(source, { maps: true }), ...volumeFlags(service));
  words.push(...portFlags(source), ...fileFlags(source, 'EnvironmentFile', '--env-file'));
  words.push(...flagsOf(source, { words: { Secret: '--secret' } }), ...mountFlags(service), ...flagsOf(source, HEALTH));
  const pod = podOf(service);
  if (pod !== undefined) words.push('--pod', resourceName(pod));
  words.push(...source.words('PodmanArgs'), ...image, ...source.lastWords('Exec'));
  service.addCommand('ExecStart', words);
  unit.setDefault('Service', 'SyslogIdentifier', '%N');
  return pod !== undefined && source.bool('StartWithPod') !== false ? pod : undefined;
}

function root(service: Service): readonly string[] {
  const { source } = service;
  const rootfs = source.text('Rootfs');
  const hasImage = source.text('Image') !== undefined;
  if (!hasImage && rootfs === undefined) source.fail('no Image or Rootfs key specified', undefined, 'Write Image= below [Container]');
  if (hasImage && rootfs !== undefined) source.fail('the Image And Rootfs keys conflict can not be specified together', 'Rootfs');
  return rootfs === undefined ? [imageName(service)] : ['--rootfs', rootfs];
}

function warnOfUsers(source: Source): void {
  for (const key of ['User', 'Group', 'DynamicUser']) {
    const entry = source.unit.last('Service', key);
    if (entry === undefined) continue;
    const hint = 'A container of another user is started by the systemd of that user';
    source.warn(`using key ${key} in the Service group is not supported - use at your own risk`, entry, hint);
  }
}

function prepareService(service: Service, name: string): void {
  const { source, unit } = service;
  const killMode = unit.last('Service', 'KillMode');
  unit.add('Service', 'Environment', 'PODMAN_SYSTEMD_UNIT=%n');
  if (killMode === undefined || killMode.value === '') unit.set('Service', 'KillMode', 'mixed');
  else if (!['mixed', 'control-group'].includes(killMode.value))
    failOf(source, 'KillMode', `invalid KillMode '${killMode.value}'`, 'mixed');
  const remove = service.command('rm', '-v', '-f', '-i', name);
  service.addCommand('ExecStop', remove);
  service.addCommand('ExecStopPost', remove, { mayFail: true });
  addReload(service, name);
  unit.add('Service', 'Delegate', 'yes');
}

function failOf(source: Source, key: string, message: string, instead: string): void {
  source.error(message, source.unit.last('Service', key), `Write ${key}=${instead}, or leave it out`);
}

function addReload(service: Service, name: string): void {
  const { source } = service;
  const command = source.lastWords('ReloadCmd');
  const signal = source.text('ReloadSignal');
  if (command.length > 0 && signal !== undefined) {
    source.fail('ReloadCmd and ReloadSignal are mutually exclusive but both are set', 'ReloadSignal');
  }
  if (command.length > 0) service.addCommand('ExecReload', service.command('exec', name, ...command));
  if (signal !== undefined) service.addCommand('ExecReload', service.command('kill', '--signal', signal, name));
}

function cgroupFlags(source: Source): string[] {
  const mode = source.text('CgroupsMode');
  return mode === undefined ? ['--cgroups=split'] : ['--cgroups', mode];
}

/** Type=oneshot waits for the end of the container; otherwise its start is told to systemd by conmon, the container, or its health. */
function startFlags({ source, unit }: Service): string[] {
  const type = unit.last('Service', 'Type')?.value ?? '';
  if (type === 'oneshot') return [];
  if (type !== '' && type !== 'notify') failOf(source, 'Type', `invalid service Type '${type}'`, 'notify');
  unit.set('Service', 'Type', 'notify');
  unit.set('Service', 'NotifyAccess', 'all');
  const how = source.text('Notify');
  const mode = how === 'healthy' ? 'healthy' : how !== undefined && source.bool('Notify') === true ? 'container' : 'conmon';
  return [`--sdnotify=${mode}`, '-d'];
}

function securityFlags(service: Service): string[] {
  const { source } = service;
  const flags = source.bool('NoNewPrivileges') === true ? ['--security-opt=no-new-privileges'] : [];
  const add = (option: string | undefined): void => void (option !== undefined && flags.push('--security-opt', option));
  const addText = (key: string, prefix: string): void => {
    const text = source.text(key);
    add(text === undefined ? undefined : prefix + text);
  };
  if (source.bool('SecurityLabelDisable') === true) add('label=disable');
  if (source.bool('SecurityLabelNested') === true) add('label=nested');
  addText('SecurityLabelType', 'label=type:');
  addText('SecurityLabelFileType', 'label=filetype:');
  addText('SecurityLabelLevel', 'label=level:');
  addText('AppArmor', 'apparmor=');
  addText('SeccompProfile', 'seccomp=');
  for (const word of source.words('Mask')) add(`mask=${word}`);
  for (const word of source.words('Unmask')) add(`unmask=${word}`);
  for (const device of source.words('AddDevice')) {
    const isOptional = device.startsWith('-');
    const wanted = isOptional ? device.slice(1) : device;
    if (!isOptional || service.around.deviceExists(wanted.split(':', 1)[0]!)) flags.push('--device', wanted);
  }
  flags.push(...source.words('DropCapability').flatMap((word) => ['--cap-drop', word.toLowerCase()]));
  flags.push(...source.words('AddCapability').flatMap((word) => ['--cap-add', word.toLowerCase()]));
  const readOnly = source.bool('ReadOnly');
  flags.push(...boolFlag('--read-only', readOnly));
  // A word of earlier days; a read-only container has such a directory anyway.
  if (source.bool('VolatileTmp') === true && readOnly !== true) flags.push('--tmpfs', '/tmp:rw,size=512M,mode=1777');
  return flags;
}

function userFlags(source: Source): string[] {
  const user = source.text('User');
  const group = source.text('Group');
  if (user === undefined && group !== undefined) source.fail('invalid Group set without User', 'Group', 'Write User= as well');
  return pair('--user', group === undefined ? user : `${user}:${group}`);
}

function portFlags(source: Source): string[] {
  const exposed = source.values('ExposeHostPort').map((value) => value.trim());
  for (const port of exposed) {
    if (!/^\d+(?:-\d+)?(?:\/(?:udp|tcp|sctp))?$/i.test(port))
      source.fail(`invalid port format '${port}'`, 'ExposeHostPort', 'Write PORT or FIRST-LAST, and /udp behind it');
  }
  return [...exposed.flatMap((port) => ['--expose', port]), ...source.values('PublishPort').flatMap((port) => ['--publish', port])];
}

function podOf(service: Service): Source | undefined {
  const { source } = service;
  const name = source.text('Pod');
  if (name === undefined) return undefined;
  if (!name.endsWith('.pod')) return source.fail(`pod ${name} is not Quadlet based`, 'Pod', 'Write the name of a .pod file');
  const entry = source.unit.last(source.group, 'Pod');
  const found = service.find(name, entry);
  if (found === undefined) return source.fail(`quadlet pod unit ${name} does not exist`, 'Pod');
  service.dependOn('BindsTo', found, entry);
  return found;
}
