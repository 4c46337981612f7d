/** What both sides find when a case is run: the same image, containers in each state, a volume in use. */

export const IMAGE = 'localhost/busybox';

/** Commands that make it; `archive` is the image as both sides can read it. */
export function prepare(archive: string): readonly (readonly string[])[] {
  const container = (verb: 'run' | 'create', name: string, ...rest: readonly string[]) => [
    verb,
    `--name=${name}`,
    '--network=none',
    ...rest,
  ];
  return [
    ['load', '--quiet', '--input', archive],
    container('run', 'e-run', '--detach', IMAGE, 'sleep', '600'),
    container('run', 'e-exit', IMAGE, 'true'),
    container('create', 'e-created', IMAGE, 'true'),
    ['volume', 'create', 'e-vol'],
    ['network', 'create', '--subnet=10.210.0.0/24', '--label=a=b', 'e-net'],
    ['create', '--name=e-on', '--network=e-net:ip=10.210.0.77,alias=foo', IMAGE, 'true'],
    container('create', 'e-volu', '--volume=e-vol:/data', IMAGE, 'true'),
  ];
}

/** A pod beside all that, where pods are looked at. */
export const PREPARE_PODS: readonly (readonly string[])[] = [
  ['pod', 'create', '--name=e-pod', '--infra-name=e-infra', '--network=none', '--label=a=b'],
  ['run', '--detach', '--pod=e-pod', '--name=e-member', IMAGE, 'sh', '-c', 'echo out; exec sleep 600'],
];

export const RESTORE_PODS: readonly (readonly string[])[] = [['pod', 'rm', '--force', '--time=0', 'e-pod', 'e-made', 'x']];

/** Takes it back; each may fail. */
export const RESTORE: readonly (readonly string[])[] = [
  ['rm', '--force', '--time=0', '--ignore', 'e-run', 'e-exit', 'e-created', 'e-volu', 'e-on'],
  ['network', 'rm', '--force', 'e-net', 'e-made', 'x'],
  ['volume', 'rm', 'e-vol'],
  ['rmi', IMAGE],
];
