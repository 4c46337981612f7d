import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { IMAGE_SOURCE } from './shared.ts';

export const autoUpdateFace = defineFace({
  usage: '[options]',
  summary: 'Restart services whose images have become newer',
  description:
    'Look for newer images of running containers with the label io.containers.autoupdate=registry or =local, and restart the systemd units that made them.',
  examples: ['auto-update', 'auto-update --authfile ~/authfile.json'],
  flags: flagTable({
    authfile: IMAGE_SOURCE.authfile,
    'dry-run': { kind: 'bool', help: 'Look for newer images and change nothing' },
    format: { kind: 'string', help: 'Print as JSON or by a Go template' },
    rollback: { kind: 'bool', help: 'Go back to the image before where a service does not start with the newer one', default: true },
    'tls-verify': IMAGE_SOURCE['tls-verify'],
  }),
  args: noArguments,
});
