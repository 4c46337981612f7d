import { complainIf } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { JSON_FORMAT } from './shared.ts';

export const volumeInspectFace = defineFace({
  usage: '[options] VOLUME [VOLUME...]',
  summary: 'Show all that is known of volumes',
  examples: ['volume inspect myvol', 'volume inspect --all', "volume inspect --format '{{.Mountpoint}}' myvol"],
  flags: flagTable({ ...JSON_FORMAT, all: { kind: 'bool', short: 'a', help: 'Show all volumes' } }),
  args: complainIf(({ args, flags }) => args.length > 0 === (flags['all'] === true), 'provide one or more volume names or use --all'),
  complete: ['volume'],
});
