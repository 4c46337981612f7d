/** `--progress rawjson`: one line of JSON for each change, in the form of BuildKit's SolveStatus, on stderr. */
import { createHash } from 'node:crypto';
import type { BuildEvent } from '../../build/request.ts';
import type { StepOutput } from '../../libpod/build/container.ts';
import { stagePrefix, type BuildReport, type ReportSettings } from './report.ts';
import { StepLog } from './step-log.ts';

interface Vertex {
  readonly digest: string;
  readonly name: string;
  readonly started: string;
}

const POLL_MS = 200;

export class JsonReport implements BuildReport {
  readonly #settings: ReportSettings;
  readonly #running = new Map<number, { readonly vertex: Vertex; log?: StepLog }>();
  readonly #timer: NodeJS.Timeout;

  constructor(settings: ReportSettings) {
    this.#settings = settings;
    this.#timer = setInterval(() => this.#tellLogs(), POLL_MS).unref();
  }

  tell(event: BuildEvent): void {
    if (event.kind === 'output' || event.kind === 'fetched' || event.kind === 'sending') return;
    const { stage } = event;
    this.#end(stage, event.kind === 'cached' ? { cached: true } : {});
    if (event.kind !== 'step') return;
    const name = `${stagePrefix(this.#settings, stage)}STEP ${event.number}/${event.of}: ${event.text}`;
    const digest = `sha256:${createHash('sha256').update(`${stage} ${name}`).digest('hex')}`;
    const vertex = { digest, name, started: new Date().toISOString() };
    this.#running.set(stage, { vertex });
    this.#write({ vertexes: [vertex] });
  }

  output(stage: number): StepOutput {
    const running = this.#running.get(stage)!;
    running.log ??= new StepLog(this.#settings.scratch);
    return { stdout: running.log.fd, stderr: running.log.fd };
  }

  line(): void {
    for (const stage of this.#running.keys()) this.#end(stage, {});
  }

  fail(error: unknown): void {
    for (const stage of this.#running.keys()) this.#end(stage, { error: error instanceof Error ? error.message : String(error) });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const { log } of this.#running.values()) log?.[Symbol.dispose]();
  }

  #end(stage: number, more: Readonly<Record<string, unknown>>): void {
    const running = this.#running.get(stage);
    if (running === undefined) return;
    this.#tellLogs();
    this.#running.delete(stage);
    running.log?.[Symbol.dispose]();
    this.#write({ vertexes: [{ ...running.vertex, completed: new Date().toISOString(), ...more }] });
  }

  #tellLogs(): void {
    for (const { vertex, log } of this.#running.values()) {
      const data = log?.more() ?? Buffer.alloc(0);
      if (data.length > 0)
        this.#write({ logs: [{ vertex: vertex.digest, stream: 1, data: data.toString('base64'), timestamp: new Date().toISOString() }] });
    }
  }

  #write(status: object): void {
    this.#settings.stderr.line(JSON.stringify(status));
  }
}
