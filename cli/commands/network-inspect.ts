import { EngineError, isEngineError } from '../../core/errors.ts';
import { inspectedNetwork } from '../../libpod/inspect/network.ts';
import { findNetwork } from '../../libpod/network/store.ts';
import { defineCommand } from '../command.ts';
import { networkInspectFace } from '../faces/network-inspect.ts';
import { formatInspect } from '../format/views/inspect.ts';

/** What was found is printed even if something was not. */
export const command = defineCommand(networkInspectFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const containers = engine.containers.list();
  const found: { readonly kind: 'network'; readonly document: object }[] = [];
  const missing: EngineError[] = [];
  for (const name of names) {
    try {
      found.push({ kind: 'network', document: inspectedNetwork(findNetwork(engine, name), containers) });
    } catch (error) {
      if (!isEngineError(error, 'NO_SUCH_NETWORK')) throw error;
      missing.push(new EngineError(error.code, `network ${name}: ${error.message}`));
    }
  }
  if (found.length > 0 || missing.length === 0) context.stdout.write(await formatInspect(found, flags.format));
  else context.stdout.write('[]\n');
  for (const { message } of missing.slice(1)) context.stderr.line(message);
  if (missing[0]) throw missing[0];
});
