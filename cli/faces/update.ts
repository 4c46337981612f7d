import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { CONTAINER_FLAGS } from '../wish/flags.ts';
import { LIMIT_FLAGS } from '../wish/limits.ts';
import { LATEST } from './shared.ts';

export const updateFace = defineFace({
  usage: '[options] CONTAINER',
  summary: 'Change limits and settings of a container',
  description:
    'Change limits, health checks, restart policy and environment of a container. Limits and checks hold at once, the rest from its next start.',
  examples: [
    'update --memory 512m --cpus 1.5 ctrID',
    'update --health-interval 10s ctrID',
    'update --restart always --env KEY=value ctrID',
  ],
  flags: flagTable({
    ...LIMIT_FLAGS,
    ...LATEST,
    'device-read-iops': CONTAINER_FLAGS['device-read-iops'],
    'device-write-iops': CONTAINER_FLAGS['device-write-iops'],
    env: CONTAINER_FLAGS.env,
    'health-cmd': CONTAINER_FLAGS['health-cmd'],
    'health-interval': CONTAINER_FLAGS['health-interval'],
    'health-log-destination': CONTAINER_FLAGS['health-log-destination'],
    'health-max-log-count': CONTAINER_FLAGS['health-max-log-count'],
    'health-max-log-size': CONTAINER_FLAGS['health-max-log-size'],
    'health-on-failure': CONTAINER_FLAGS['health-on-failure'],
    'health-retries': CONTAINER_FLAGS['health-retries'],
    'health-start-period': CONTAINER_FLAGS['health-start-period'],
    'health-startup-cmd': CONTAINER_FLAGS['health-startup-cmd'],
    'health-startup-interval': CONTAINER_FLAGS['health-startup-interval'],
    'health-startup-retries': CONTAINER_FLAGS['health-startup-retries'],
    'health-startup-success': CONTAINER_FLAGS['health-startup-success'],
    'health-startup-timeout': CONTAINER_FLAGS['health-startup-timeout'],
    'health-timeout': CONTAINER_FLAGS['health-timeout'],
    'no-healthcheck': CONTAINER_FLAGS['no-healthcheck'],
    'pids-limit': CONTAINER_FLAGS['pids-limit'],
    restart: CONTAINER_FLAGS.restart,
    ulimit: CONTAINER_FLAGS.ulimit,
    unsetenv: CONTAINER_FLAGS.unsetenv,
  }),
  args: ({ args, flags, program, path }) => {
    if (args.length > 1) return `\`${program} ${path}\` accepts at most one argument`;
    if (args.length > 0 && flags['latest'] === true) return '--latest and containers cannot be used together';
    return args.length === 0 && flags['latest'] !== true ? `"${program} ${path}" requires a name, id, or the "--latest" flag` : undefined;
  },
  complete: ['container', 'none'],
});
