import { EngineError, isEngineError } from '../../core/errors.ts';
import { removable, removeQuadlet } from '../../libpod/quadlet/installed.ts';
import { refreshUnits } from '../../libpod/quadlet/user-units.ts';
import { defineCommand } from '../command.ts';
import { forEachName } from '../each.ts';
import { quadletRmFace } from '../faces/quadlet-rm.ts';
import { quadletPlace, tellProblems } from '../quadlet/place.ts';

export const command = defineCommand(quadletRmFace, async (context, names, flags) => {
  const place = quadletPlace(context);
  const gone = new Set<string>();
  try {
    await forEachName(context, flags.all ? removable(place) : names, async (name) => {
      // With another file of its app.
      if (gone.has(name)) return undefined;
      try {
        const removed = await removeQuadlet(place, name, { force: flags.force });
        for (const one of removed) gone.add(one);
        return removed.join('\n');
      } catch (error) {
        if (!isEngineError(error)) throw error;
        if (flags.ignore && error.code === 'NO_SUCH_OBJECT') return name;
        const { code, message, hint } = error;
        throw new EngineError(code, `unable to remove Quadlet ${name}: ${message}`, {
          cause: error,
          ...(hint === undefined ? {} : { hint }),
        });
      }
    });
  } finally {
    if (flags['reload-systemd'] && gone.size > 0) tellProblems(context, (await refreshUnits(place)).problems);
  }
});
