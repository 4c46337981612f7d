import { checkFiles } from '../../libpod/quadlet/check.ts';
import { atLeast } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import { quadletPlace, tellProblems } from '../quadlet/place.ts';

const BAD_FILES = 1;

export const command = defineCommand(
  {
    usage: 'FILE [FILE...]',
    summary: 'Look for mistakes in Quadlet files',
    description:
      'Say what is wrong with Quadlet files, with line, key and what to write instead, and which units would be made of the others. Neither systemd nor a store is needed, and nothing is written. The exit status is 1 if a file makes no unit.',
    examples: ['quadlet check web.container', 'quadlet check ~/.config/containers/systemd'],
    flags: {},
    args: atLeast(1),
    complete: ['file'],
  },
  async (context, paths) => {
    const place = quadletPlace(context);
    const { units, problems } = checkFiles(paths, place, place.launcher);
    for (const { file, unit } of units) context.stdout.line(`${file}: ${unit}`);
    tellProblems(context, problems);
    return problems.some(({ severity }) => severity === 'error') ? BAD_FILES : 0;
  },
);
