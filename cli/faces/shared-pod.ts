/** Flags that commands of `pod` have in the same words. */
import { flagTable } from '../flag.ts';
import { CONTAINER_FLAGS } from '../wish/flags.ts';

export const POD_SELECTION = flagTable({
  all: { kind: 'bool', short: 'a', help: 'Act on all pods' },
  latest: { kind: 'bool', short: 'l', help: 'Act on the pod created last' },
});

export const LATEST_POD = flagTable({ latest: POD_SELECTION.latest });

export const POD_ID_FILES = flagTable({
  'pod-id-file': { kind: 'stringArray', help: 'Read the id of a pod from a file', complete: 'file' },
});

/** What `pod create` and `pod clone` ask of the infra container. */
export const POD_CONTAINER = flagTable({
  'blkio-weight': CONTAINER_FLAGS['blkio-weight'],
  'blkio-weight-device': CONTAINER_FLAGS['blkio-weight-device'],
  'cgroup-parent': CONTAINER_FLAGS['cgroup-parent'],
  'cpu-shares': CONTAINER_FLAGS['cpu-shares'],
  cpus: CONTAINER_FLAGS.cpus,
  'cpuset-cpus': CONTAINER_FLAGS['cpuset-cpus'],
  'cpuset-mems': CONTAINER_FLAGS['cpuset-mems'],
  device: CONTAINER_FLAGS.device,
  'device-read-bps': CONTAINER_FLAGS['device-read-bps'],
  'device-write-bps': CONTAINER_FLAGS['device-write-bps'],
  gidmap: CONTAINER_FLAGS.gidmap,
  gpus: CONTAINER_FLAGS.gpus,
  hostname: { ...CONTAINER_FLAGS.hostname, help: 'Host name of the pod' },
  'infra-command': { kind: 'string', help: 'Command of the infra container' },
  'infra-conmon-pidfile': { kind: 'string', help: "File that the pid of the infra container's monitor is written to", complete: 'file' },
  'infra-name': { kind: 'string', help: 'Name of the infra container' },
  label: CONTAINER_FLAGS.label,
  'label-file': CONTAINER_FLAGS['label-file'],
  memory: CONTAINER_FLAGS.memory,
  'memory-swap': CONTAINER_FLAGS['memory-swap'],
  name: { kind: 'string', short: 'n', help: 'Name of the pod' },
  pid: CONTAINER_FLAGS.pid,
  restart: { ...CONTAINER_FLAGS.restart, help: 'When containers of the pod are restarted, unless they say otherwise' },
  'security-opt': CONTAINER_FLAGS['security-opt'],
  'shm-size': CONTAINER_FLAGS['shm-size'],
  'shm-size-systemd': CONTAINER_FLAGS['shm-size-systemd'],
  subgidname: CONTAINER_FLAGS.subgidname,
  subuidname: CONTAINER_FLAGS.subuidname,
  sysctl: CONTAINER_FLAGS.sysctl,
  uidmap: CONTAINER_FLAGS.uidmap,
  userns: CONTAINER_FLAGS.userns,
  uts: CONTAINER_FLAGS.uts,
  volume: CONTAINER_FLAGS.volume,
  'volumes-from': CONTAINER_FLAGS['volumes-from'],
});
