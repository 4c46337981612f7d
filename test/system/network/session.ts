/** The test's end of driver.ts: one network namespace on a test host, and typed requests to it. */
import type { NetworkAttachment, PortMapping } from '../../../network/backend.ts';
import type { BackendName } from '../../../network/choose.ts';
import type { RunningCommand, TestHost } from '../../host/host.ts';
import type { DriverRequest } from './driver.ts';

export class NetworkSession implements AsyncDisposable {
  readonly #command: RunningCommand;
  readonly #forwards: boolean;
  #answered = 0;

  /** `forwards`: with lichen-ports beside the backend. */
  constructor(host: TestHost, forwards = false) {
    this.#forwards = forwards;
    this.#command = host.spawn(['/bin/sh', '/opt/lichen/scripts/node.sh', '/opt/lichen/test/system/network/driver.ts']);
  }

  setup(backend: BackendName, ports: readonly PortMapping[] = [], options: readonly string[] = []): Promise<NetworkAttachment> {
    return this.ask({ op: 'setup', backend, forwards: this.#forwards, ports, options });
  }

  /** The answer, or a rejection with `code` and `message` of the EngineError thrown inside. */
  async ask<T>(request: DriverRequest): Promise<T> {
    this.#command.write(`${JSON.stringify(request)}\n`);
    const lines = ++this.#answered;
    await this.#command.waitForOutput(new RegExp(`^(\\{.*\\n){${lines}}`));
    const answer = JSON.parse(this.#command.stdout.split('\n')[lines - 1]!) as {
      value: T;
      error?: { code: string; message: string; hint?: string };
    };
    if (answer.error !== undefined) throw Object.assign(new Error(answer.error.message), answer.error);
    return answer.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#command.endInput();
    await this.#command.finish(15_000);
  }
}
