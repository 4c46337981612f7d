import { flagTable } from '../flag.ts';
import { CONTAINER_FLAGS } from './flags.ts';

/** Limits that `update` and `container clone` can set. */
export const LIMIT_FLAGS = flagTable({
  'blkio-weight': CONTAINER_FLAGS['blkio-weight'],
  'blkio-weight-device': CONTAINER_FLAGS['blkio-weight-device'],
  'cpu-period': CONTAINER_FLAGS['cpu-period'],
  'cpu-quota': CONTAINER_FLAGS['cpu-quota'],
  'cpu-rt-period': CONTAINER_FLAGS['cpu-rt-period'],
  'cpu-rt-runtime': CONTAINER_FLAGS['cpu-rt-runtime'],
  'cpu-shares': CONTAINER_FLAGS['cpu-shares'],
  cpus: CONTAINER_FLAGS.cpus,
  'cpuset-cpus': CONTAINER_FLAGS['cpuset-cpus'],
  'cpuset-mems': CONTAINER_FLAGS['cpuset-mems'],
  'device-read-bps': CONTAINER_FLAGS['device-read-bps'],
  'device-write-bps': CONTAINER_FLAGS['device-write-bps'],
  memory: CONTAINER_FLAGS.memory,
  'memory-reservation': CONTAINER_FLAGS['memory-reservation'],
  'memory-swap': CONTAINER_FLAGS['memory-swap'],
  'memory-swappiness': CONTAINER_FLAGS['memory-swappiness'],
});
