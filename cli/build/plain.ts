/** Podman's lines, and nothing at all. */
import { closeSync, openSync } from 'node:fs';
import type { BuildEvent } from '../../build/request.ts';
import type { StepOutput } from '../../libpod/build/container.ts';
import { repositoryWords, stagePrefix, type BuildReport, type ReportSettings } from './report.ts';

const SHOWN = 12;

export class PlainReport implements BuildReport {
  readonly #settings: ReportSettings;

  constructor(settings: ReportSettings) {
    this.#settings = settings;
  }

  tell(event: BuildEvent): void {
    const { stdout } = this.#settings;
    if (event.kind === 'step') stdout.line(`${stagePrefix(this.#settings, event.stage)}STEP ${event.number}/${event.of}: ${event.text}`);
    else if (event.kind === 'fetched' || event.kind === 'sending') stdout.line(`--> ${repositoryWords(event)}`);
    else if (event.kind === 'cached') stdout.line(`--> Using cache ${event.id}`);
    else if (event.kind === 'done' && !event.isLast) stdout.line(`--> ${event.id.slice(0, SHOWN)}`);
  }

  output(): StepOutput {
    return { stdout: this.#settings.stdout.fd, stderr: this.#settings.stderr.fd };
  }

  line(text: string): void {
    this.#settings.stdout.line(text);
  }

  fail(): void {}

  [Symbol.dispose](): void {}
}

export class SilentReport implements BuildReport {
  readonly #nothing = openSync('/dev/null', 'w');
  readonly #settings: ReportSettings;

  constructor(settings: ReportSettings) {
    this.#settings = settings;
  }

  tell(): void {}

  output(): StepOutput {
    return { stdout: this.#nothing, stderr: this.#settings.stderr.fd };
  }

  line(): void {}

  fail(): void {}

  [Symbol.dispose](): void {
    closeSync(this.#nothing);
  }
}
