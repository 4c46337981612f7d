import { EngineError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { inspectFace } from '../faces/inspect.ts';
import { type InspectType, printInspected } from '../inspection.ts';

const TYPES: readonly InspectType[] = ['all', 'container', 'image', 'network', 'pod', 'volume', 'artifact'];

export const command = defineCommand(inspectFace, async (context, names, { type: typed, format, size, latest }) => {
  const type = TYPES.find((one) => one === typed);
  if (type === undefined) {
    throw new EngineError(
      'INVALID_ARGUMENT',
      `invalid type ${JSON.stringify(typed)}: must be "image", "container", "pod", "network", "volume", "artifact", or "all"`,
    );
  }
  const isOther = type !== 'all' && type !== 'container';
  if (isOther && latest) throw new EngineError('INVALID_ARGUMENT', `latest is not supported for type ${JSON.stringify(type)}`);
  if (isOther && size) throw new EngineError('INVALID_ARGUMENT', `size is not supported for type ${JSON.stringify(type)}`);
  await printInspected(context, { names, type, format, size, latest });
});
