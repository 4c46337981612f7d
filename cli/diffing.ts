/** What `diff`, `container diff` and `image diff` print. */
import { EngineError, isEngineError } from '../core/errors.ts';
import { latestContainer } from '../libpod/container/select.ts';
import { changesOf, type DiffKind } from '../libpod/diff.ts';
import type { Engine } from '../libpod/engine.ts';
import type { CommandContext } from './command.ts';
import { encodeJson, FIVE_SPACES } from './format/json.ts';

export interface DiffRequest {
  readonly kind: DiffKind;
  /** What to look at and, where there is a second one, what to compare it with. */
  readonly names: readonly string[];
  readonly latest?: boolean;
  readonly format?: string | undefined;
}

/** Throws INVALID_ARGUMENT (format) and what changesOf throws. */
export async function printChanges(context: CommandContext, { kind, names, latest, format }: DiffRequest): Promise<void> {
  if (format !== undefined && format !== '' && format !== 'json') {
    throw new EngineError('INVALID_ARGUMENT', "only supported value for '--format' is 'json'");
  }
  const engine = await context.openEngine();
  const [name, other] = latest === true ? [latestId(engine)] : names;
  const changes = await changesOf(engine, kind, name!, other);
  if (format === 'json') {
    const group = (wanted: string): string[] | undefined => {
      const paths = changes.filter((change) => change.kind === wanted).map(({ path }) => path.toString());
      return paths.length > 0 ? paths : undefined;
    };
    context.stdout.write(`${encodeJson({ changed: group('C'), added: group('A'), deleted: group('D') }, FIVE_SPACES)}\n`);
    return;
  }
  const lines = changes.flatMap((change) => [Buffer.from(`${change.kind} `), change.path, Buffer.from('\n')]);
  context.stdout.write(Buffer.concat(lines));
}

function latestId(engine: Engine): string {
  try {
    return latestContainer(engine).id;
  } catch (error) {
    if (!isEngineError(error, 'NO_SUCH_CONTAINER')) throw error;
    throw new EngineError('NO_SUCH_CONTAINER', `unable to get latest container: ${error.message}`, { cause: error });
  }
}
