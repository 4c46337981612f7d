import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const artifactAddFace = defineFace({
  usage: '[options] ARTIFACT PATH [...PATH]',
  summary: 'Make an artifact of files',
  examples: [
    'artifact add quay.io/myimage/myartifact:latest /tmp/foobar.txt',
    'artifact add --append quay.io/myimage/myartifact:latest /tmp/more.txt',
  ],
  flags: flagTable({
    annotation: { kind: 'stringArray', help: 'Annotation of the files (NAME=VALUE)' },
    append: { kind: 'bool', short: 'a', help: 'Add to the artifact of that name' },
    'file-type': { kind: 'string', help: 'Media type of the files' },
    replace: { kind: 'bool', help: 'Take the place of the artifact of that name' },
    type: { kind: 'string', help: 'Type of the artifact' },
  }),
  args: atLeast(2),
  complete: ['artifact', 'file'],
});
