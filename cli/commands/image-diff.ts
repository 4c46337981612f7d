import { defineCommand } from '../command.ts';
import { printChanges } from '../diffing.ts';
import { imageDiffFace } from '../faces/image-diff.ts';

export const command = defineCommand(imageDiffFace, (context, names, flags) => printChanges(context, { kind: 'image', names, ...flags }));
