import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const artifactExtractFace = defineFace({
  usage: '[options] ARTIFACT PATH',
  summary: 'Copy files of an artifact out of the store',
  description: 'Copy the files of an artifact into a directory, each under its title, or one file to a path.',
  examples: [
    'artifact extract quay.io/myimage/myartifact:latest /tmp/foobar.txt',
    'artifact extract --title foobar.txt quay.io/myimage/myartifact:latest /tmp',
  ],
  flags: flagTable({
    digest: { kind: 'string', help: 'Only the file of this digest' },
    title: { kind: 'string', help: 'Only the file of this title' },
  }),
  args: exactly(2),
  complete: ['artifact', 'file'],
});
