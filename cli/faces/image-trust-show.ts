import { atMost } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { POLICY_FILE } from './shared.ts';

export const imageTrustShowFace = defineFace({
  usage: '[options] [REGISTRY]',
  summary: 'Show which images are trusted',
  description: 'Show the rules of policy.json. Signatures are not checked: what asks for one is refused.',
  examples: ['image trust show', 'image trust show --json'],
  flags: flagTable({
    json: { kind: 'bool', short: 'j', help: 'Print as JSON' },
    noheading: { kind: 'bool', short: 'n', help: 'Leave out the heading' },
    raw: { kind: 'bool', help: 'Print the file as it is' },
    ...POLICY_FILE,
    registrypath: { kind: 'string', help: 'Another registries.d', hidden: true, complete: 'file' },
  }),
  args: atMost(1),
  complete: ['none'],
});
