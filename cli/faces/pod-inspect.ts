import { allOf, complainIf } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { LATEST_POD } from './shared-pod.ts';
import { JSON_FORMAT } from './shared.ts';

export const podInspectFace = defineFace({
  usage: '[options] POD [POD...]',
  summary: 'Show all that is known of pods',
  examples: ['pod inspect podID'],
  flags: flagTable({ ...LATEST_POD, ...JSON_FORMAT }),
  args: allOf(
    complainIf(({ args, flags }) => args.length > 0 && flags['latest'] === true, '--latest and arguments cannot be used together'),
    complainIf(({ args, flags }) => args.length === 0 && flags['latest'] !== true, 'no names or ids specified'),
  ),
  complete: ['pod'],
});
