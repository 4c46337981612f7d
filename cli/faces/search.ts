import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { IMAGE_SOURCE } from './shared.ts';

export const searchFace = defineFace({
  usage: '[options] TERM',
  summary: 'Look for images in registries',
  description:
    'Look for repositories by a word, in the registry that TERM begins with or in all registries that short names are looked for in.',
  examples: [
    'search --filter=is-official --limit 3 alpine',
    'search registry.fedoraproject.org/',
    'search --list-tags quay.io/podman/stable',
  ],
  flags: flagTable({
    authfile: IMAGE_SOURCE.authfile,
    'cert-dir': IMAGE_SOURCE['cert-dir'],
    compatible: { kind: 'bool', help: 'Show stars, official and automated too' },
    creds: IMAGE_SOURCE.creds,
    filter: { kind: 'stringArray', short: 'f', help: 'Show only what matches (is-official, is-automated, stars=N)' },
    format: { kind: 'string', help: 'Print as JSON or by a Go template' },
    limit: { kind: 'int', help: 'How many of each registry', shownDefault: 25 },
    'list-tags': { kind: 'bool', help: 'Show the tags of a repository' },
    'no-trunc': { kind: 'bool', help: 'Do not shorten descriptions' },
    'tls-verify': IMAGE_SOURCE['tls-verify'],
  }),
  args: exactly(1),
  complete: ['none'],
});
