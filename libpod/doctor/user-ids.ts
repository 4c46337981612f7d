import { statSync } from 'node:fs';
import type { Lack, Mend } from '../../core/lack.ts';
import type { IdMapEntry } from '../../host/idmap.ts';
import { planMaps } from '../../host/pause.ts';
import { findProgram } from '../../host/search.ts';
import { lookUpUser } from '../../host/user.ts';
import { degraded, type Finding, lackOf, missing, ok, type Patient } from './probe.ts';

/** What most images expect: one above the ids of a distribution's users. */
const USUAL_IDS = 65_536;
const SET_UID = 0o4000;

/** `failure`: why a session's namespaces, with their maps, could not be made. */
export async function userIds({ identity }: Patient, failure: unknown): Promise<Finding> {
  if (!identity.rootless) return ok('all ids: this is root');
  const { maps, lack } = await planMaps(identity);
  const helpers = ['newuidmap', 'newgidmap'].map((name) => findProgram(name));
  const facts = { newuidmap: helpers[0] ?? null, newgidmap: helpers[1] ?? null };
  if (failure !== undefined) return missing(lackOf(failure, 'containers cannot be started', privileges(helpers)), facts);
  if (lack !== undefined) return degraded(lack, { ...facts, ids: 1 });
  const count = Math.min(idsIn(maps?.uids ?? []), idsIn(maps?.gids ?? []));
  if (count >= USUAL_IDS) return ok(`${count} ids`, { ...facts, ids: count });
  return degraded(fewIds(count, lookUpUser(identity.uid)?.name ?? String(identity.uid)), { ...facts, ids: count });
}

/** Without its privileges newuidmap is refused what it is there for. A package may give it capabilities instead, with which it works. */
function privileges(helpers: readonly (string | undefined)[]): readonly Mend[] {
  const plain = helpers.filter((path) => path !== undefined).filter((path) => (statSync(path).mode & SET_UID) === 0);
  return plain.length === 0 ? [] : [{ asRoot: `chmod u+s ${plain.join(' ')}` }];
}

function idsIn(map: readonly IdMapEntry[]): number {
  return map.reduce((sum, { size }) => sum + size, 0);
}

function fewIds(count: number, user: string): Lack {
  return {
    what: `only ${count} user ids can be used in containers`,
    loss: 'images with files of users above them cannot be unpacked',
    mend: [{ asRoot: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}` }],
  };
}
