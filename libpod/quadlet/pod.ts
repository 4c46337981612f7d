/** `.pod` and `.kube`: services of several containers. */
import { dirname } from 'node:path';
import { withoutSpecifiers } from '../../core/unit-word.ts';
import { type FlagRules, flagsOf } from './flags.ts';
import { networkFlags, resourceName, volumeFlags } from './references.ts';
import type { Service } from './service.ts';
import type { Source } from './source.ts';
import { userNamespaceFlags } from './user-namespace.ts';

const POD_FLAGS: FlagRules = {
  text: { IP: '--ip', IP6: '--ip6', ShmSize: '--shm-size' },
  values: {
    AddHost: '--add-host',
    DNS: '--dns',
    DNSOption: '--dns-option',
    DNSSearch: '--dns-search',
    HostName: '--hostname',
    NetworkAlias: '--network-alias',
    PublishPort: '--publish',
  },
  pairs: { Label: '--label' },
};

/** All keys that are flags, one for one: for who writes such a file. */
export const POD_RULES: FlagRules = {
  ...POD_FLAGS,
  text: { ...POD_FLAGS.text, ExitPolicy: '--exit-policy', PodName: '--name' },
  values: { ...POD_FLAGS.values, Network: '--network', Volume: '--volume' },
};

/** Throws QuadletError. */
export function convertPod(service: Service): void {
  const { source, unit } = service;
  const name = resourceName(source);
  const pod = (...words: readonly string[]): string[] => service.command('pod', ...words);
  service.addCommand('ExecStart', pod('start', name));
  service.addCommand('ExecStop', pod('stop', '--ignore', `--time=${source.text('StopTimeout') ?? 10}`, name));
  service.addCommand('ExecStopPost', pod('rm', '--ignore', '--force', name));
  const create = pod('create', '--infra-conmon-pidfile=%t/%N.pid', '--replace', '--exit-policy', source.text('ExitPolicy') ?? 'stop');
  create.push(
    ...userNamespaceFlags(source, { maps: true }),
    ...flagsOf(source, POD_FLAGS),
    ...networkFlags(service),
    ...volumeFlags(service),
  );
  create.push('--infra-name', `${name}-infra`, '--name', name, ...source.words('PodmanArgs'));
  service.addCommand('ExecStartPre', create);
  unit.setDefault('Service', 'SyslogIdentifier', '%N');
  unit.add('Service', 'Environment', 'PODMAN_SYSTEMD_UNIT=%n');
  unit.set('Service', 'Type', 'forking');
  unit.set('Service', 'Restart', 'on-failure');
  unit.set('Service', 'PIDFile', '%t/%N.pid');
}

/** A container that starts with its pod. */
export function addMember(pod: Source, container: Source): void {
  pod.unit.add('Unit', 'Wants', `${container.service}.service`);
  pod.unit.add('Unit', 'Before', `${container.service}.service`);
}

const KUBE_FLAGS: FlagRules = { text: { LogDriver: '--log-driver' }, words: { LogOpt: '--log-opt' } };

/** Throws QuadletError. */
export function convertKube(service: Service): void {
  const { source, unit } = service;
  const files = source.words('Yaml').map((path) => source.absolute(path));
  if (files.length === 0) source.fail('no Yaml key specified', undefined, 'Write Yaml= below [Kube]');
  unit.setDefault('Service', 'KillMode', 'mixed');
  unit.add('Service', 'Environment', 'PODMAN_SYSTEMD_UNIT=%n');
  const type = unit.last('Service', 'Type')?.value ?? '';
  if (!['', 'notify', 'oneshot'].includes(type)) source.fail(`invalid service Type '${type}'`);
  if (type !== 'oneshot') {
    unit.set('Service', 'Type', 'notify');
    unit.set('Service', 'NotifyAccess', 'all');
  }
  unit.setDefault('Service', 'SyslogIdentifier', '%N');

  const play = service.command('kube', 'play', '--replace', '--service-container=true');
  const propagation = source.text('ExitCodePropagation');
  if (propagation !== undefined) play.push(`--service-exit-code-propagation=${propagation}`);
  play.push(
    ...flagsOf(source, KUBE_FLAGS),
    ...userNamespaceFlags(source, { maps: false }),
    ...networkFlags(service),
    ...updateFlags(source),
  );
  play.push(...source.words('ConfigMap').flatMap((path) => ['--configmap', source.absolute(path)]));
  play.push(...source.values('PublishPort').flatMap((port) => ['--publish', port]), ...source.words('PodmanArgs'), ...files);
  service.addCommand('ExecStart', play);
  const force = source.bool('KubeDownForce');
  service.addCommand(
    'ExecStopPost',
    service.command('kube', 'down', ...(force === undefined ? [] : [force ? '--force' : '--force=false']), ...files),
  );
  setWorkingDirectory(service, files);
}

function updateFlags(source: Source): string[] {
  return source.values('AutoUpdate').map((value) => {
    const [, name, policy = ''] = /^(?:([^/]*)\/)?(.*)$/s.exec(value)!;
    return `--annotation=io.containers.autoupdate${name === undefined ? '' : `/${name}`}=${policy}`;
  });
}

function setWorkingDirectory({ source, unit }: Service, files: readonly string[]): void {
  const wanted = source.text('SetWorkingDirectory');
  if (wanted === undefined) return;
  if (wanted !== 'yaml' && wanted !== 'unit')
    source.fail(`unsupported value for WorkingDirectory: ${wanted} `, 'SetWorkingDirectory', 'Write yaml or unit');
  if (wanted === 'yaml' && files.length > 1) {
    source.fail('SetWorkingDirectory=yaml is only supported when a single Yaml key is provided', 'SetWorkingDirectory', 'Write unit');
  }
  const directory = wanted === 'yaml' ? dirname(files[0]!) : withoutSpecifiers(dirname(source.path));
  unit.setDefault('Service', 'WorkingDirectory', directory);
}
