import { linkGenerators, isGeneratorInstalled, refreshUnits, removeUnits, unlinkGenerators } from '../../libpod/quadlet/user-units.ts';
import { noArguments } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import { flagTable } from '../flag.ts';
import { quadletPlace, tellProblems } from '../quadlet/place.ts';

export const command = defineCommand(
  {
    usage: '[options]',
    summary: 'Make systemd see the Quadlet files',
    description:
      'For root: have systemd start lichen-quadlet at every boot and reload, for the machine and for all users. For an ordinary user without that: write the units of his Quadlet files among his own, which quadlet install and quadlet rm do as well; after a change of a file by hand it is to be repeated.',
    examples: ['quadlet setup', 'quadlet setup --remove'],
    flags: flagTable({ remove: { kind: 'bool', help: 'Undo it' } }),
    args: noArguments,
  },
  async (context, _args, { remove }) => {
    const place = quadletPlace(context);
    if (place.rootless) {
      if (remove) return removeUnits(place);
      const { units, problems } = await refreshUnits(place);
      for (const path of units) context.stdout.line(path);
      tellProblems(context, problems);
      if (isGeneratorInstalled('user')) context.stderr.line('systemd starts the generator of units by itself: nothing to do but reload it');
      return undefined;
    }
    if (remove) return unlinkGenerators(place);
    for (const path of await linkGenerators(place)) context.stdout.line(path);
    return undefined;
  },
);
