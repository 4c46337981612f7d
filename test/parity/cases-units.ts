/** `generate systemd`: what both sides say of the same containers. */
import { of, type Case } from './cases.ts';
import { IMAGE } from './setting.ts';

const container = (name: string, ...words: readonly string[]) => ['create', `--name=${name}`, '--network=none', ...words];

/** What there is before the first case, beside the image. */
export const CONTAINERS: readonly (readonly string[])[] = [
  container('u-plain', IMAGE, 'true'),
  [
    'create',
    '--name',
    'u-words',
    '--network',
    'none',
    '-e',
    'A=x $y %z "q" ;',
    '--label',
    'l=back\\slash',
    IMAGE,
    'sh',
    '-c',
    'echo "$HOME" %n',
  ],
  container(
    'u-settled',
    '--cidfile=/tmp/u-settled.id',
    '--cgroups=enabled',
    '--restart=on-failure:3',
    '--replace=false',
    IMAGE,
    'sleep',
    '--rm',
  ),
  container('u-always', '--restart=always', '--sdnotify=container', '--stop-timeout=25', '--health-cmd', 'true || false', IMAGE),
  container('u-unless', '--restart', 'unless-stopped', '--conmon-pidfile', '/tmp/u-unless.pid', '-h', 'i', '--', IMAGE, 'sh', '-d'),
  ['container', 'create', '--name=u-group', '--network=none', '-l', 'a=b', '--entrypoint', '["a","b c"]', IMAGE, 'run', 'create'],
  ['--log-level', 'error', 'create', '--name=u-global', '--network=none', '-eHOME', IMAGE],
];

const member = (name: string, pod: string, ...words: readonly string[]) => ['create', '--pod', pod, '--name', name, ...words];

/** After the containers. */
export const PODS: readonly (readonly string[])[] = [
  ['pod', 'create', '--name', 'u-pod', '-p', '8099:80', '--label', 'l=a $b %c'],
  member('u-first', 'u-pod', '--stop-timeout', '3', IMAGE, 'sleep', '9'),
  member('u-second', 'u-pod', '--requires', 'u-first', '--restart', 'always', IMAGE, 'true'),
  ['--log-level', 'error', 'pod', 'create', '--replace', '--exit-policy', 'continue', '--pod-id-file=/tmp/u-empty.id', '--name=u-empty'],
  ['pod', 'create', '--share', 'uts', 'u-word'],
  ['pod', 'create', '--infra=false', '--name', 'u-bare'],
  member('u-alone', 'new:u-new', IMAGE, 'true'),
];

export const REMOVE_PODS = ['pod', 'rm', '--force', '--time=0', '--ignore', 'u-pod', 'u-empty', 'u-word', 'u-bare', 'u-new'];

export const REMOVE = ['rm', '--force', '--time=0', '--ignore', ...CONTAINERS.map((argv) => nameIn(argv))];

const NAMED = ['plain', 'words', 'settled', 'always', 'unless', 'group', 'global'].map((name) => `u-${name}`);
const generate = (name: string, ...words: readonly string[]) => of(name, 'generate', 'systemd', ...words);
const ASKED = ['--wants', 'a.service', '--wants', 'b.service', '--after', 'c.service', '--requires', 'd.service', '--env', 'X=a b'];

const POD_OPTIONS = [
  ...ASKED,
  ...'--pod-prefix p --container-prefix c --separator _'.split(' '),
  ...'--restart-policy always --restart-sec 3 --start-timeout 9 --stop-timeout 7'.split(' '),
];

export const UNITS: readonly Case[] = [
  ...NAMED.map((name) => generate(`started: ${name}`, '--name', name)),
  ...NAMED.map((name) => generate(`anew: ${name}`, '--new', '--name', name)),
  ...['u-plain', 'u-unless'].map((name) => generate(`template: ${name}`, '--template', '--name', name)),
  generate('by id', 'u-plain'),
  generate('every name', '--name', '--container-prefix', 'ctr', '--separator', '_', '--pod-prefix', 'p', 'u-plain'),
  generate('no prefix', '--name', '--container-prefix', '', 'u-plain'),
  generate('dependencies', '--name', ...ASKED, 'u-plain'),
  generate('times', '--name', '--restart-sec', '3', '--start-timeout', '7', '--stop-timeout', '0', 'u-plain'),
  generate('times: none', '--name', '--restart-sec', '0', '--start-timeout', '0', '--time', '3', 'u-plain'),
  ...['no', 'on-success', 'on-failure', 'on-abnormal', 'on-watchdog', 'on-abort', 'always', 'unless-stopped', ''].map((policy) =>
    generate(`restart policy ${policy}`, '--new', '--name', '--restart-policy', policy, 'u-settled'),
  ),
  generate('without header', '--name', '--no-header', 'u-plain'),
  generate('json', '--name', '--no-header', '--format', 'json', 'u-plain'),
  generate('pod: started', '--name', 'u-pod'),
  generate('pod: anew', '--new', '--name', 'u-pod'),
  generate('pod: every option', '--new', '--name', ...POD_OPTIONS, 'u-pod'),
  generate('pod: no prefix', '--name', '--pod-prefix', '', 'u-pod'),
  generate('pod: json', '--name', '--no-header', '--format', 'json', 'u-pod'),
  ...['u-empty', 'u-word'].flatMap((name) => [
    generate(`pod: ${name}`, '--name', name),
    generate(`pod anew: ${name}`, '--new', '--name', name),
  ]),
  generate('pod: a container of it', '--name', 'u-second'),
  generate('pod: a container of it anew', '--new', '--name', 'u-second'),
  generate('pod: template', '--template', '--name', 'u-pod'),
  generate('pod: without infra container', '--name', 'u-bare'),
  generate('pod: of a container', '--name', 'u-new'),
  generate('pod: of a container, anew', '--new', '--name', 'u-new'),
  generate('pod: bad restart policy', '--restart-policy', 'sometimes', 'u-pod'),
  generate('bad format', '--format', 'yaml', 'u-plain'),
  generate('unknown', 'nosuch'),
  generate('nothing'),
  generate('two', 'u-plain', 'u-words'),
  generate('bad number', '--stop-timeout', '-1', 'u-plain'),
  generate('two times', '--time', '1', '--stop-timeout', '2', 'u-plain'),
  generate('empty variable', '--env', '', 'u-plain'),
  of('generate: nothing', 'generate'),
];

function nameIn(argv: readonly string[]): string {
  const at = argv.findIndex((word) => word.startsWith('--name'));
  return argv[at]!.includes('=') ? argv[at]!.slice('--name='.length) : argv[at + 1]!;
}
