import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { LATEST_POD } from './shared-pod.ts';
import { LOGS } from './shared.ts';

export const podLogsFace = defineFace({
  usage: '[options] POD',
  summary: 'Show the output of the containers of a pod',
  examples: ['pod logs podID', 'pod logs -c ctrname podName', 'pod logs --tail 2 mywebserver'],
  flags: flagTable({
    ...LATEST_POD,
    ...LOGS,
    container: { kind: 'string', short: 'c', help: 'Only of this container', complete: 'container' },
  }),
  args: ({ args, flags }) => {
    if (args.length > 0 && flags['latest'] === true) return '--latest and pods cannot be used together';
    if (args.length > 1) return 'requires exactly 1 arg';
    return args.length === 0 && flags['latest'] !== true ? 'specify at least one pod name or ID to log' : undefined;
  },
  complete: ['pod', 'none'],
});
