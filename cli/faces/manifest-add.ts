import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { ENTRY, IMAGE_SOURCE } from './shared.ts';

export const manifestAddFace = defineFace({
  usage: '[options] LIST IMAGEORARTIFACT [IMAGEORARTIFACT...]',
  summary: 'Add images, or files as an artifact, to a manifest list',
  examples: ['manifest add mylist:v1.11 image:v1.11-amd64', 'manifest add mylist:v1.11 docker://registry/image:v1.11'],
  flags: flagTable({
    ...ENTRY,
    all: { kind: 'bool', help: 'Add everything that a given index lists' },
    artifact: { kind: 'bool', help: 'The arguments are files: add them as an artifact' },
    'artifact-config': { kind: 'string', help: 'File with the config of the artifact', complete: 'file' },
    'artifact-config-type': { kind: 'string', help: 'Media type of the config' },
    'artifact-exclude-titles': { kind: 'bool', help: 'Do not record the names of the files' },
    'artifact-layer-type': { kind: 'string', help: 'Media type of the files' },
    'artifact-subject': { kind: 'string', help: 'Image that the list is about' },
    'artifact-type': { kind: 'string', help: 'Type of the artifact' },
    authfile: IMAGE_SOURCE.authfile,
    'cert-dir': IMAGE_SOURCE['cert-dir'],
    creds: IMAGE_SOURCE.creds,
    'tls-verify': IMAGE_SOURCE['tls-verify'],
  }),
  args: atLeast(2),
  complete: ['image'],
});
