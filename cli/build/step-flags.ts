import { flagTable } from '../flag.ts';
import { CONTAINER_FLAGS } from '../wish/flags.ts';

/** What is said of the containers of RUN, in the words of `run`. */
export const STEP_FLAGS = flagTable({
  'add-host': CONTAINER_FLAGS['add-host'],
  'cap-add': CONTAINER_FLAGS['cap-add'],
  'cap-drop': CONTAINER_FLAGS['cap-drop'],
  'cgroup-parent': CONTAINER_FLAGS['cgroup-parent'],
  cgroupns: CONTAINER_FLAGS.cgroupns,
  'cpu-period': CONTAINER_FLAGS['cpu-period'],
  'cpu-quota': CONTAINER_FLAGS['cpu-quota'],
  'cpu-shares': CONTAINER_FLAGS['cpu-shares'],
  'cpuset-cpus': CONTAINER_FLAGS['cpuset-cpus'],
  'cpuset-mems': CONTAINER_FLAGS['cpuset-mems'],
  device: CONTAINER_FLAGS.device,
  dns: { kind: 'strings', help: 'Name servers to use' },
  'dns-option': { kind: 'strings', help: 'Options of the resolver' },
  'dns-search': { kind: 'strings', help: 'Domains to search for host names' },
  'group-add': CONTAINER_FLAGS['group-add'],
  'http-proxy': CONTAINER_FLAGS['http-proxy'],
  ipc: CONTAINER_FLAGS.ipc,
  memory: CONTAINER_FLAGS.memory,
  'memory-swap': CONTAINER_FLAGS['memory-swap'],
  network: { kind: 'string', help: 'Network of RUN ("host"|"none"|"pasta"|"slirp4netns")', aliases: ['net'] },
  'no-hostname': CONTAINER_FLAGS['no-hostname'],
  'no-hosts': CONTAINER_FLAGS['no-hosts'],
  pid: CONTAINER_FLAGS.pid,
  'security-opt': CONTAINER_FLAGS['security-opt'],
  'shm-size': CONTAINER_FLAGS['shm-size'],
  ulimit: { kind: 'strings', help: 'Set a resource limit (name=soft[:hard])' },
  uts: CONTAINER_FLAGS.uts,
  volume: { kind: 'stringArray', short: 'v', help: 'Bind a directory into the containers of RUN', complete: 'file' },
});
