import { defineCommand } from '../command.ts';
import { printChanges } from '../diffing.ts';
import { diffFace } from '../faces/diff.ts';

export const command = defineCommand(diffFace, (context, names, flags) => printChanges(context, { kind: 'any', names, ...flags }));
