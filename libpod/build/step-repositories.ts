/**
 * `--cache-from` and `--cache-to`: which repositories are asked for a step, and how steps get into others beside the build.
 *
 * What is wrong with a repository that is asked costs its steps and nothing else: they are done here. It is said once, and the repository is not asked
 * again, for a registry that is down would be waited for at every step. What cannot be sent is what the caller wanted: the first failure ends the build.
 */
import type { CachedStep } from '../../build/machine.ts';
import type { BuildEvent } from '../../build/request.ts';
import type { DoneStep, StepRepositories, WantedStep } from '../../build/step-repositories.ts';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import type { Engine } from '../engine.ts';
import type { RegistryChoice } from '../registry/access.ts';
import { fetchStep, sendStep, type StepTransfer } from './step-transfer.ts';

/** Repositories by their full names, without tag or digest. */
export interface RepositoryChoice {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly registry: RegistryChoice;
}

/** Errors that are those of the repository, and not of this machine. */
const OF_THE_REPOSITORY = [
  'REGISTRY_UNREACHABLE',
  'REGISTRY_UNAUTHORIZED',
  'REGISTRY_ERROR',
  'MANIFEST_UNKNOWN',
  'IMAGE_CORRUPT',
  'LAYER_REFUSED',
  'NOT_SUPPORTED',
  'POLICY_REJECTED',
] as const;

export class RepositoriesOfBuild implements StepRepositories {
  readonly #transfer: StepTransfer;
  readonly #choice: RepositoryChoice;
  readonly #tell: (event: BuildEvent) => void;
  /** That of the caller; it is aborted, too, when a step could not be sent. */
  readonly signal: AbortSignal;
  readonly #ending = new AbortController();
  readonly #asked: Set<string>;
  /** `REPOSITORY:KEY` that need not be sent. */
  readonly #there = new Set<string>();
  /** By repository: one step after the other, so that none sends the layers of the one before it again. */
  readonly #queues = new Map<string, Promise<void>>();
  #failure: unknown;

  constructor(
    engine: Engine,
    choice: RepositoryChoice,
    { tell, signal }: { readonly tell: (event: BuildEvent) => void; readonly signal?: AbortSignal | undefined },
  ) {
    this.#choice = choice;
    this.#tell = tell;
    this.signal = signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal]);
    this.#transfer = { engine, registry: choice.registry, signal: this.signal, present: new Map() };
    this.#asked = new Set(choice.from);
  }

  async find(wanted: WantedStep): Promise<CachedStep | undefined> {
    for (const repository of this.#asked) {
      const name = `${repository}:${wanted.key}`;
      const found = await fetchStep(this.#transfer, name, wanted).catch((error: unknown) => this.#missed(repository, error));
      if (found === undefined) continue;
      this.#there.add(name);
      this.#tell({ kind: 'fetched', stage: wanted.stage, from: name });
      return found;
    }
    return undefined;
  }

  #missed(repository: string, error: unknown): undefined {
    if (!isEngineError(error, ...OF_THE_REPOSITORY)) throw error;
    if (error.code === 'MANIFEST_UNKNOWN') log.debug(error.message);
    else if (this.#asked.delete(repository)) log.warn(`${repository} is not asked for steps any more: ${error.message}`);
    return undefined;
  }

  send(step: DoneStep): void {
    const wanting = this.#choice.to.filter((repository) => !this.#there.has(`${repository}:${step.key}`));
    if (wanting.length === 0 || this.signal.aborted) return;
    this.#tell({ kind: 'sending', stage: step.stage, to: `[${wanting.join(' ')}]:${step.key}` });
    for (const repository of wanting) {
      this.#there.add(`${repository}:${step.key}`);
      const before = this.#queues.get(repository) ?? Promise.resolve();
      this.#queues.set(
        repository,
        before.then(() => this.#sent(repository, step)),
      );
    }
  }

  async #sent(repository: string, step: DoneStep): Promise<void> {
    if (this.signal.aborted) return;
    try {
      await sendStep(this.#transfer, repository, step);
    } catch (error) {
      this.#failure ??= named(error, repository, step);
      this.#ending.abort();
    }
  }

  /** What the build came to, when all is sent. Throws its error, or the one that ended it. */
  async whenSent<T>(build: () => Promise<T>): Promise<T> {
    const result = await build().catch(async (error: unknown) => {
      const cause = this.#failure ?? error;
      await this.#settled();
      throw cause;
    });
    await this.#settled();
    if (this.#failure !== undefined) throw this.#failure;
    return result;
  }

  async #settled(): Promise<void> {
    await Promise.all(this.#queues.values());
  }
}

const NAME_SHOWN = 100;

function named(error: unknown, repository: string, { name, key }: DoneStep): unknown {
  if (!(error instanceof EngineError) || error.code === 'ABORTED') return error;
  const { code, message, hint } = error;
  const short = name.length > NAME_SHOWN ? `${name.slice(0, NAME_SHOWN)}…` : name;
  return new EngineError(code, `failed pushing cache of ${JSON.stringify(short)} to ${repository}:${key}: ${message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
