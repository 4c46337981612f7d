import { EngineError } from '../../core/errors.ts';
import { parseSignal } from '../../core/signal.ts';
import { killContainer } from '../../libpod/container/stop.ts';
import { LIVE } from '../../libpod/state/containers.ts';
import { defineCommand } from '../command.ts';
import { forEachAtOnce } from '../each.ts';
import { killFace } from '../faces/kill.ts';
import { selectByFlags } from '../selection.ts';

export const command = defineCommand(killFace, async (context, names, flags) => {
  const signal = parseKnownSignal(flags.signal);
  const engine = await context.openEngine();
  const selected = selectByFlags(engine, names, flags).filter(({ record }) => !flags.all || LIVE.includes(record.status));
  await forEachAtOnce(context, selected, async ({ record, shown }) => {
    await killContainer(engine, record.id, signal);
    return shown;
  });
});

/** `kill` has words of its own for a number that is none. */
function parseKnownSignal(text: string): number {
  if (/^\d+$/.test(text) && Number(text) > 64) throw new EngineError('INVALID_ARGUMENT', 'valid signals are 1 through 64');
  return parseSignal(text);
}
