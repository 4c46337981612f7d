import { defineCommand } from '../command.ts';
import { printChanges } from '../diffing.ts';
import { containerDiffFace } from '../faces/container-diff.ts';

export const command = defineCommand(containerDiffFace, (context, names, flags) =>
  printChanges(context, { kind: 'container', names, ...flags }),
);
