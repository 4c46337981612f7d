import { EngineError, isEngineError } from '../../core/errors.ts';
import { parseSignal } from '../../core/signal.ts';
import { killPod } from '../../libpod/pod/life.ts';
import { defineCommand } from '../command.ts';
import { podKillFace } from '../faces/pod-kill.ts';
import { forEachPod, podsByFlags } from '../pods.ts';

export const command = defineCommand(podKillFace, async (context, names, flags) => {
  const signal = parsePodSignal(flags.signal);
  const engine = await context.openEngine();
  await forEachPod(context, podsByFlags(engine, names, flags), (pod) => killPod(engine, pod, signal));
});

function parsePodSignal(text: string): number {
  try {
    return parseSignal(text);
  } catch (error) {
    if (!isEngineError(error)) throw error;
    throw new EngineError('INVALID_ARGUMENT', `invalid signal: ${text}`, { cause: error });
  }
}
