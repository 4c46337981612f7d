import { EngineError } from '../../core/errors.ts';
import { latestContainer } from '../../libpod/container/select.ts';
import { parseUint } from '../../libpod/spec/parse/go.ts';
import type { PortMapping } from '../../network/backend.ts';
import { defineCommand } from '../command.ts';
import { portFace } from '../faces/port.ts';
import { listPorts } from '../format/ports.ts';
import { formatPortLines } from '../format/views/top.ts';

export const command = defineCommand(portFace, async (context, args, flags) => {
  const wanted = parseWanted(flags.latest ? args[0] : args[1]);
  const engine = await context.openEngine();
  if (flags.all) {
    for (const { id, config, status } of engine.containers.list()) {
      if (status === 'running') context.stdout.write(formatPortLines(config.network.ports, id));
    }
    return;
  }
  const record = flags.latest ? latestContainer(engine) : engine.containers.find(args[0] ?? '');
  const { ports } = record.config.network;
  context.stdout.write(wanted === undefined ? formatPortLines(ports) : hostAddresses(ports, wanted));
});

/** `80`, `80/udp` → as the list of ports writes it. Throws INVALID_ARGUMENT. */
function parseWanted(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const [number = '', protocol = 'tcp'] = text.split('/');
  return `${parseUint(number, 16)}/${protocol}`;
}

function hostAddresses(ports: readonly PortMapping[], wanted: string): string {
  const found = listPorts(ports).filter(({ container }) => container === wanted);
  if (ports.length > 0 && found.length === 0)
    throw new EngineError('INVALID_ARGUMENT', `failed to find published port ${JSON.stringify(wanted)}`);
  return found.map(({ host }) => `${host}\n`).join('');
}
