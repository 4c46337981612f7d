import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const networkUpdateFace = defineFace({
  usage: '[options] NETWORK',
  summary: 'Change the name servers of a network',
  examples: ['network update podman1'],
  flags: flagTable({
    'dns-add': { kind: 'strings', help: 'Ask this name server too' },
    'dns-drop': { kind: 'strings', help: 'Do not ask this name server any more' },
  }),
  args: exactly(1),
  complete: ['network', 'none'],
});
