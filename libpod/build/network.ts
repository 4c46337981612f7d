/** One network namespace for all steps of a build that want one, made when the first does. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { randomHex } from '../../host/random.ts';
import type { NetworkAttachment } from '../../network/backend.ts';
import { clearNamespace, teardownAttachment } from '../../network/teardown.ts';
import { setUpNetwork } from '../container/network.ts';
import type { Engine } from '../engine.ts';
import type { ContainerConfig } from '../spec/container.ts';

export interface ConnectedNetwork {
  readonly netns: string;
  readonly attachment: NetworkAttachment;
}

/** In the directory of a build: the path of its namespace. */
export const NETNS_NOTE = 'netns';

export class BuildNetwork implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #directory: string;
  readonly #netns: string;
  #connected: Promise<ConnectedNetwork> | undefined;

  constructor(engine: Engine, directory: string) {
    this.#engine = engine;
    this.#directory = directory;
    this.#netns = join(engine.paths.run, 'netns', randomHex(32));
  }

  /** Throws HELPER_MISSING, NETWORK_SETUP, NOT_SUPPORTED (bridges). */
  connect(config: ContainerConfig): Promise<ConnectedNetwork> {
    return (this.#connected ??= this.#setUp(config));
  }

  async #setUp(config: ContainerConfig): Promise<ConnectedNetwork> {
    if (config.network.mode.kind === 'bridge')
      throw new EngineError('NOT_SUPPORTED', 'a build cannot be in a bridge network', {
        hint: 'Use --network host, none, pasta or slirp4netns.',
      });
    writeFileSync(join(this.#directory, NETNS_NOTE), this.#netns, { mode: 0o600 });
    const attachment = await setUpNetwork(this.#engine, config, { netns: this.#netns, run: this.#directory }, undefined);
    return { netns: this.#netns, attachment };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const connected = await this.#connected?.catch(() => undefined);
    if (connected !== undefined) await teardownAttachment(connected.attachment);
    if (this.#connected !== undefined) clearNamespace(this.#netns);
  }
}
