import { installQuadlets } from '../../libpod/quadlet/install.ts';
import { isGeneratorInstalled, refreshUnits } from '../../libpod/quadlet/user-units.ts';
import { defineCommand } from '../command.ts';
import { quadletInstallFace } from '../faces/quadlet-install.ts';
import { quadletPlace, tellProblems } from '../quadlet/place.ts';

export const command = defineCommand(quadletInstallFace, async (context, sources, flags) => {
  const place = quadletPlace(context);
  for (const path of await installQuadlets(place, sources, { replace: flags.replace })) context.stdout.line(path);
  if (!place.rootless && !isGeneratorInstalled('system')) {
    context.stderr.line(`systemd makes no units of them until \`${context.program} quadlet setup\` was run, once`);
  }
  if (flags['reload-systemd']) tellProblems(context, (await refreshUnits(place)).problems);
});
