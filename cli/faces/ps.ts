import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FILTER, LATEST } from './shared.ts';

const SORT_KEYS = ['command', 'created', 'id', 'image', 'names', 'runningfor', 'size', 'status'];

export const psFace = defineFace({
  usage: '[options]',
  summary: 'List containers',
  examples: ['ps -a', 'ps -a --format "{{.ID}}  {{.Image}}  {{.Labels}}  {{.Mounts}}"', 'ps --size --sort names'],
  flags: flagTable({
    ...FILTER,
    ...LATEST,
    all: { kind: 'bool', short: 'a', help: 'Show all containers, not only running ones' },
    external: { kind: 'bool', help: 'Show containers of other tools in the store', aliases: ['storage'] },
    format: { kind: 'string', help: 'Print as JSON or by a Go template' },
    last: { kind: 'int', short: 'n', help: 'Show the last so many created, in any state', default: -1 },
    'no-trunc': { kind: 'bool', help: 'Print ids and commands in full' },
    noheading: { kind: 'bool', help: 'Leave out the heading' },
    ns: { kind: 'bool', help: 'Show namespaces', aliases: ['namespace'] },
    pod: { kind: 'bool', short: 'p', help: 'Show pods' },
    quiet: { kind: 'bool', short: 'q', help: 'Print ids only' },
    size: { kind: 'bool', short: 's', help: 'Show sizes' },
    sort: { kind: 'choice', choices: SORT_KEYS, help: `Sort by: ${SORT_KEYS.join(', ')}` },
    sync: { kind: 'bool', help: 'Ask the OCI runtime for the state' },
    watch: { kind: 'uint', short: 'w', help: 'Print again every so many seconds' },
  }),
  args: noArguments,
});
