import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const generateSystemdFace = defineFace({
  usage: '[options] {CONTAINER|POD}',
  summary: 'Write systemd units for a container or pod',
  description: 'Write a unit by which systemd runs a container as a service.',
  examples: ['generate systemd CTR', 'generate systemd --new --time 10 CTR', 'generate systemd --files --name POD'],
  flags: flagTable({
    after: { kind: 'stringArray', help: 'Unit that the service starts after' },
    'container-prefix': { kind: 'string', help: "First part of a container's unit", default: 'container' },
    env: { kind: 'stringArray', short: 'e', help: 'Set an environment variable of the service (KEY=VALUE, or KEY to take over)' },
    files: { kind: 'bool', short: 'f', help: 'Write .service files into this directory' },
    format: { kind: 'string', help: 'Print as JSON (json)' },
    name: { kind: 'bool', short: 'n', help: 'Call the container by its name, not its id' },
    new: { kind: 'bool', help: 'Make the container anew at each start' },
    'no-header': { kind: 'bool', help: 'Leave out by what and when the unit was written' },
    'pod-prefix': { kind: 'string', help: "First part of a pod's unit", default: 'pod' },
    requires: { kind: 'stringArray', help: 'Unit that the service cannot do without' },
    'restart-policy': { kind: 'string', help: 'When systemd restarts the service', shownDefault: 'on-failure' },
    'restart-sec': { kind: 'uint', help: 'Seconds before a restart' },
    separator: { kind: 'string', help: "What stands between the parts of a unit's name", default: '-' },
    'start-timeout': { kind: 'uint', help: 'Seconds that a start may take' },
    'stop-timeout': { kind: 'uint', help: 'Seconds between the stop signal and SIGKILL', shownDefault: 10 },
    template: { kind: 'bool', help: 'Write the template of many services, whose containers are named after their instances' },
    time: { kind: 'uint', short: 't', help: 'The same as --stop-timeout', hidden: true },
    wants: { kind: 'stringArray', help: 'Unit that is to be started with the service' },
  }),
  args: exactly(1),
  complete: ['container'],
});
