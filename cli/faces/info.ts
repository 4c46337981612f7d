import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const infoFace = defineFace({
  usage: '[options]',
  summary: 'Show facts about the machine and the store',
  examples: ['info', "info --format '{{.Store.GraphRoot}}'"],
  flags: flagTable({ format: { kind: 'string', short: 'f', help: 'Print as JSON or by a Go template' } }),
  args: noArguments,
});
