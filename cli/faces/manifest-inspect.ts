import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { IMAGE_SOURCE } from './shared.ts';

export const manifestInspectFace = defineFace({
  usage: '[options] IMAGE',
  summary: 'Show a manifest list, of this store or of a registry',
  examples: ['manifest inspect localhost/list', 'manifest inspect registry/team/list:1'],
  flags: flagTable({ authfile: IMAGE_SOURCE.authfile, 'tls-verify': IMAGE_SOURCE['tls-verify'] }),
  args: exactly(1),
  complete: ['image', 'none'],
});
