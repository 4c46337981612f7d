/**
 * What a monitor runs when its container has exited: a few lines of shell, so that a clean-up which a foreground command has done
 * already costs no second Node. It deletes the runtime's container (nobody has to wait for that) and starts the clean-up if one is owed.
 */
import { writeFileSync } from 'node:fs';
import type { ContainerId } from '../../core/id.ts';
import { quote, shellLine } from '../../core/shell.ts';
import type { Engine } from '../engine.ts';
import { placesOf } from './places.ts';

/**
 * Write the marks that the script looks at; the argv that runs it. The script is an argument and no file: a foreground command can have removed
 * the run directory before the monitor comes to it, and the runtime's container is still to be deleted. `runtimeDelete`: by this argv; undefined
 * where the monitor does it.
 */
export function prepareExit(engine: Engine, runtimeDelete: readonly string[] | undefined, id: ContainerId, runCount: number): string[] {
  const places = placesOf(engine, id);
  const clean = [...engine.options.self, 'container', 'cleanup', '--run', String(runCount), id];
  const script = `${runtimeDelete === undefined ? '' : `${shellLine(runtimeDelete)} >/dev/null 2>&1`}
# Emptied, not removed: that needs no other program. After an \`rm\` its directory is gone.
[ ! -e ${quote(places.exiting)} ] || : >${quote(places.exiting)}
# A foreground command holds this lock until it has cleaned up; if it was killed, the work is ours.
[ -e ${quote(places.attended)} ] && flock ${quote(places.attended)} true
[ -e ${quote(places.live)} ] && exec ${shellLine(clean)}
exit 0
`;
  writeFileSync(places.exiting, `${runCount}\n`, { mode: 0o600 });
  writeFileSync(places.live, String(runCount), { mode: 0o600 });
  return ['/bin/sh', '-c', script];
}
