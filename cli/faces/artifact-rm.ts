import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const artifactRmFace = defineFace({
  usage: '[options] ARTIFACT [ARTIFACT...]',
  summary: 'Remove artifacts',
  examples: ['artifact rm quay.io/myimage/myartifact:latest', 'artifact rm --all'],
  flags: flagTable({
    all: { kind: 'bool', short: 'a', help: 'Remove all artifacts' },
    ignore: { kind: 'bool', short: 'i', help: 'An artifact that does not exist is no error' },
  }),
  args: ({ args, flags }) => {
    if (args.length === 0 && flags['all'] !== true) return 'at least one artifact name or digest must be specified';
    return args.length > 0 && flags['all'] === true
      ? 'when using the --all switch, you may not pass any artifact names or digests'
      : undefined;
  },
  complete: ['artifact'],
});
