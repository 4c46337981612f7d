import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { LATEST_POD } from './shared-pod.ts';
import { FILTER } from './shared.ts';

const SORT_KEYS = ['created', 'id', 'name', 'number', 'status'];

export const podPsFace = defineFace({
  usage: '[options]',
  summary: 'List pods',
  examples: ['pod ps', 'pod ps --ctr-names', 'pod ps --format "{{.ID}}  {{.Name}}  {{.Status}}"'],
  flags: flagTable({
    ...FILTER,
    ...LATEST_POD,
    'ctr-ids': { kind: 'bool', help: 'Show the ids of the containers' },
    'ctr-names': { kind: 'bool', help: 'Show the names of the containers' },
    'ctr-status': { kind: 'bool', help: 'Show the states of the containers' },
    format: { kind: 'string', help: 'Print as JSON or by a Go template' },
    'no-trunc': { kind: 'bool', help: 'Show whole ids' },
    noheading: { kind: 'bool', short: 'n', help: 'Leave out the heading' },
    ns: { kind: 'bool', help: 'Show cgroup and namespaces' },
    quiet: { kind: 'bool', short: 'q', help: 'Print ids only' },
    sort: { kind: 'string', help: `Sort by: ${SORT_KEYS.join(', ')}`, default: 'created' },
  }),
  args: noArguments,
});
