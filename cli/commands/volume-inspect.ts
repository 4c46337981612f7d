import { EngineError, isEngineError } from '../../core/errors.ts';
import type { VolumeSummary } from '../../libpod/summary.ts';
import { summariseVolume } from '../../libpod/volume/list.ts';
import { defineCommand } from '../command.ts';
import { volumeInspectFace } from '../faces/volume-inspect.ts';
import { formatEach, isJsonFormat } from '../format/report.ts';
import { volumeData, volumesInspectJson } from '../format/views/volumes.ts';

/** What was found is printed even if something was not. */
export const command = defineCommand(volumeInspectFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const wanted = flags.all ? engine.volumes.list().map(({ name }) => name) : names;
  const found: VolumeSummary[] = [];
  const missing: string[] = [];
  for (const name of wanted) {
    try {
      found.push(summariseVolume(engine, engine.volumes.find(name)));
    } catch (error) {
      if (!isEngineError(error, 'NO_SUCH_VOLUME')) throw error;
      missing.push(name);
    }
  }
  const { format } = flags;
  context.stdout.write(isJsonFormat(format) ? volumesInspectJson(found) : await formatEach('inspect', format, found.map(volumeData)));
  for (const name of missing.slice(0, -1)) context.stderr.line(`Error: no such volume ${name}`);
  const last = missing.at(-1);
  if (last !== undefined) throw new EngineError('NO_SUCH_VOLUME', `no such volume ${last}`);
});
