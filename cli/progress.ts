/**
 * What a copy into the store says on stderr: Podman's plain lines, and on a terminal a line per layer that grows with the bytes that have arrived.
 * The lines of layers under way are the last on the screen; they are drawn over until another line has to come after them.
 */
import { humanSize } from '../core/size.ts';
import { describeEvent, type CopyEvent, type OnCopyEvent } from '../storage/progress.ts';
import type { CommandContext } from './command.ts';
import type { Printer } from './print.ts';

/** Undefined where nothing is to be said. */
export function copyProgress({ stderr }: Pick<CommandContext, 'stderr'>, options: { readonly quiet: boolean }): OnCopyEvent | undefined {
  if (options.quiet) return undefined;
  if (stderr.isTerminal()) return new LayerLines(stderr).show;
  return (event) => {
    const line = describeEvent(event);
    if (line !== undefined) stderr.line(line);
  };
}

interface Layer {
  done: number;
  /** When its first bytes came. */
  startedAtMs?: number;
  readonly total: number;
  readonly present: boolean;
}

const REDRAW_MS = 100;
const BAR_WIDTH = 30;
/** A rate of less than this time would be a guess. */
const LEAST_SECONDS = 0.2;
/** Where the terminal does not say, or says 0. */
const FALLBACK_COLUMNS = 80;

class LayerLines {
  readonly #stderr: Printer;
  readonly #layers = new Map<string, Layer>();
  #drawn = 0;
  #drawnAtMs = 0;

  constructor(stderr: Printer) {
    this.#stderr = stderr;
  }

  readonly show = (event: CopyEvent): void => {
    if (event.kind === 'blob') {
      this.#layers.set(event.digest, { done: event.present ? event.total : 0, total: event.total, present: event.present });
      this.#draw();
    } else if (event.kind === 'layer') {
      const layer = this.#layers.get(event.digest);
      if (layer) {
        layer.startedAtMs ??= performance.now();
        layer.done = event.done;
      }
      if (event.done >= event.total || performance.now() - this.#drawnAtMs > REDRAW_MS) this.#draw();
    } else {
      const line = describeEvent(event);
      // A retry is told by the log, on a line of its own.
      if (line === undefined && event.kind !== 'retrying') return;
      this.#settle();
      if (line !== undefined) this.#stderr.line(line);
    }
  };

  #draw(): void {
    const columns = this.#stderr.columns() || FALLBACK_COLUMNS;
    const now = performance.now();
    const lines = [...this.#layers].map(([digest, layer]) => describeLayer(digest, layer, now).slice(0, columns - 1));
    const up = this.#drawn === 0 ? '' : `\u001B[${this.#drawn}A`;
    this.#stderr.write(up + lines.map((line) => `\r\u001B[K${line}\n`).join(''));
    this.#drawn = lines.length;
    this.#drawnAtMs = performance.now();
  }

  #settle(): void {
    if (this.#layers.size > 0) this.#draw();
    this.#layers.clear();
    this.#drawn = 0;
  }
}

/** Pure; for tests too. */
export function describeLayer(digest: string, { done, total, present, startedAtMs }: Layer, nowMs = 0): string {
  const blob = `Copying blob ${digest.slice('sha256:'.length, 'sha256:'.length + 12)}`;
  if (present) return `${blob} skipped: already exists`;
  if (done >= total) return `${blob} done   |`;
  const filled = Math.floor((BAR_WIDTH * done) / total);
  const bar = `${'='.repeat(filled)}>`.padEnd(BAR_WIDTH + 1);
  const seconds = startedAtMs === undefined ? 0 : (nowMs - startedAtMs) / 1000;
  const rate = seconds < LEAST_SECONDS ? '' : ` | ${humanSize(done / seconds)}/s`;
  return `${blob} [${bar}] ${humanSize(done)} / ${humanSize(total)}${rate}`;
}
