import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildGolden } from './build-result.ts';
import type { Case } from './cases.ts';
import type { Said } from './normalise.ts';

/** Written by record.ts and record-images.ts. */
export const GOLDENS = join(import.meta.dirname, '../fixtures/golden/parity');

export type Recorded = Case & Said;

export function readGoldens(
  name: 'failures.json' | 'facts.json' | 'kept.json' | 'networks.json' | 'several.json' | 'pods.json' | 'images.json' | 'units.json',
): readonly Recorded[] {
  return JSON.parse(readFileSync(join(GOLDENS, name), 'utf8')) as readonly Recorded[];
}

/** Written by record-build.ts. */
export function readBuildGoldens(): readonly BuildGolden[] {
  const path = join(GOLDENS, 'build.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as readonly BuildGolden[]) : [];
}
