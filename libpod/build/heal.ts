/** Builds that were killed: their containers end, their network goes, their directories are removed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tryLockFile } from '../../host/flock.ts';
import { endProcessesNaming } from '../../host/find-process.ts';
import { namesIn } from '../../host/if-there.ts';
import { healStaging } from '../../storage/layer/staging.ts';
import { clearNamespace } from '../../network/teardown.ts';
import type { Engine } from '../engine.ts';
import { NETNS_NOTE } from './network.ts';

/** A directory whose lock is free belongs to nobody. */
export async function healBuilds(engine: Engine): Promise<void> {
  const parent = buildsDirectory(engine);
  for (const name of namesIn(parent)) {
    if (!name.endsWith('.lock')) continue;
    {
      using lock = tryLockFile(join(parent, name));
      if (lock === undefined) continue;
      await endBuild(engine, join(parent, name.slice(0, -'.lock'.length)));
    }
  }
  healStaging(parent);
}

export function buildsDirectory({ paths }: Pick<Engine, 'paths'>): string {
  return join(paths.run, 'builds');
}

async function endBuild(engine: Engine, directory: string): Promise<void> {
  const names = namesIn(directory);
  const containers = names.filter((name) => /^[0-9a-f]{64}$/.test(name));
  if (containers.length > 0) {
    const runtime = await engine.runtime();
    for (const id of containers) await runtime.delete(id);
  }
  if (!names.includes(NETNS_NOTE)) return;
  const netns = readFileSync(join(directory, NETNS_NOTE), 'utf8');
  await endProcessesNaming([netns]);
  clearNamespace(netns);
}
