/**
 * A probe looks at one thing that containers need, by doing what a container would do with it, and leaves nothing behind.
 * It never throws for what it finds: a failure is its finding.
 */
import type { JsonObject } from '../../core/json.ts';
import type { Lack, Mend } from '../../core/lack.ts';
import { EngineError } from '../../core/errors.ts';
import type { Identity } from '../../host/identity.ts';
import type { Paths } from '../../host/paths.ts';
import type { Settings } from '../settings.ts';

/** `degraded`: containers run, with something less. `missing`: containers cannot be started. */
export type Verdict = 'ok' | 'degraded' | 'missing';

export interface Finding {
  readonly verdict: Verdict;
  /** What is there, or what is wrong, in one line. */
  readonly found: string;
  /** For programs: names and values do not change between versions. */
  readonly facts: JsonObject;
  /** What the user loses; empty where nothing is lost. */
  readonly loss: string;
  readonly mend: readonly Mend[];
}

export interface NamedFinding extends Finding {
  readonly name: string;
}

export interface Probe {
  readonly name: string;
  readonly run: (patient: Patient) => Finding | Promise<Finding>;
}

/** Whose containers, and where they would be. */
export interface Patient {
  readonly identity: Identity;
  readonly env: NodeJS.ProcessEnv;
  readonly paths: Paths;
  readonly settings: Settings;
  readonly wanted: { readonly runtime?: string | undefined; readonly monitor?: string | undefined };
  /** The program that starts lichen. */
  readonly launcher: string;
}

export function ok(found: string, facts: JsonObject = {}): Finding {
  return { verdict: 'ok', found, facts, loss: '', mend: [] };
}

export function degraded({ what, loss, mend }: Lack, facts: JsonObject = {}): Finding {
  return { verdict: 'degraded', found: what, facts, loss, mend };
}

export function missing({ what, loss, mend }: Lack, facts: JsonObject = {}): Finding {
  return { verdict: 'missing', found: what, facts, loss, mend };
}

/** What an error says, with its hint as what mends it. */
export function lackOf(error: unknown, loss: string, mend: readonly Mend[] = []): Lack {
  const what = error instanceof Error ? error.message.trim().replace(/\s*\n\s*/g, '; ') : String(error);
  const hint = error instanceof EngineError ? error.hint : undefined;
  return { what, loss, mend: mend.length > 0 || hint === undefined ? mend : [{ advice: hint }] };
}

/** All at once. */
export function runProbes(probes: readonly Probe[], patient: Patient): Promise<readonly NamedFinding[]> {
  return Promise.all(
    probes.map(async ({ name, run }) => {
      try {
        return { name, ...(await run(patient)) };
      } catch (error) {
        return { name, ...degraded(lackOf(error, 'this could not be found out')) };
      }
    }),
  );
}
