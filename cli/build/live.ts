/** Steps on a terminal: those that are done stay, those under way are drawn over with their time and the last line they said. */
import { plainText } from '../../core/plain.ts';
import type { BuildEvent } from '../../build/request.ts';
import type { StepOutput } from '../../libpod/build/container.ts';
import { repositoryWords, stagePrefix, type BuildReport, type ReportSettings } from './report.ts';
import { StepLog } from './step-log.ts';

interface Running {
  readonly text: string;
  readonly startedMs: number;
  log?: StepLog;
}

const REDRAW_MS = 100;
/** Where the terminal does not say. */
const FALLBACK_COLUMNS = 80;

export class LiveReport implements BuildReport {
  readonly #settings: ReportSettings;
  readonly #running = new Map<number, Running>();
  readonly #timer: NodeJS.Timeout;
  #drawn = 0;

  constructor(settings: ReportSettings) {
    this.#settings = settings;
    this.#timer = setInterval(() => this.#draw([]), REDRAW_MS).unref();
  }

  tell(event: BuildEvent): void {
    const { stage } = event;
    if (event.kind === 'output') return;
    if (event.kind === 'fetched' || event.kind === 'sending') return this.#draw([this.#cut(` => ${repositoryWords(event)}`, '')]);
    const done = this.#end(stage, event.kind === 'cached' ? 'CACHED ' : '');
    if (event.kind === 'step')
      this.#running.set(stage, {
        text: `${stagePrefix(this.#settings, stage)}STEP ${event.number}/${event.of}: ${event.text}`,
        startedMs: performance.now(),
      });
    this.#draw(done);
  }

  output(stage: number): StepOutput {
    const running = this.#running.get(stage)!;
    running.log ??= new StepLog(this.#settings.scratch);
    return { stdout: running.log.fd, stderr: running.log.fd };
  }

  line(text: string): void {
    this.#draw([...this.#running.keys()].flatMap((stage) => this.#end(stage, '')).concat(text));
  }

  fail(): void {
    const { stdout } = this.#settings;
    this.#draw([]);
    this.#drawn = 0;
    for (const { text, log } of this.#running.values()) {
      const said = log?.text() ?? Buffer.alloc(0);
      if (said.length === 0) continue;
      stdout.line(`------ ${text}`);
      stdout.write(said);
      if (said.at(-1) !== 0x0a) stdout.line('');
      stdout.line('------');
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const { log } of this.#running.values()) log?.[Symbol.dispose]();
  }

  /** The line that stays of a step. */
  #end(stage: number, word: string): readonly string[] {
    const running = this.#running.get(stage);
    if (running === undefined) return [];
    this.#running.delete(stage);
    running.log?.[Symbol.dispose]();
    return [this.#cut(` => ${word}${running.text}`, word === '' ? seconds(running) : '')];
  }

  #draw(settled: readonly string[]): void {
    if (settled.length === 0 && this.#running.size === 0) return;
    const { stdout } = this.#settings;
    const live = [...this.#running.values()].flatMap((running) => {
      const said = running.log?.lastLine() ?? '';
      return [this.#cut(` => ${running.text}`, seconds(running)), ...(said === '' ? [] : [this.#cut(` => => ${said}`, '')])];
    });
    const up = this.#drawn === 0 ? '' : `\u001B[${this.#drawn}A`;
    stdout.write(`${up}\r\u001B[J${[...settled, ...live].map((line) => `${line}\n`).join('')}`);
    this.#drawn = live.length;
  }

  #cut(text: string, end: string): string {
    const columns = (this.#settings.stdout.columns() || FALLBACK_COLUMNS) - 1;
    const room = Math.max(1, columns - end.length - 1);
    const plain = plainText(text.replaceAll(/\s/g, ' '));
    return `${plain.length > room ? `${plain.slice(0, room - 1)}…` : plain.padEnd(end === '' ? 0 : room)}${end === '' ? '' : ` ${end}`}`;
  }
}

function seconds({ startedMs }: Running): string {
  return `${((performance.now() - startedMs) / 1000).toFixed(1)}s`;
}
