/** What the launcher puts into the environment for the Node of this process alone (bin/tuning.sh). */
const NAMES = ['LICHEN_TUNED', 'GLIBC_TUNABLES', 'LD_PRELOAD'] as const;

let taken: NodeJS.ProcessEnv = {};

/** Out of the environment with it. What the caller has set stays. */
export function takeBackTuning(env: NodeJS.ProcessEnv = process.env): void {
  if (env['LICHEN_TUNED'] === undefined) return;
  taken = Object.fromEntries(NAMES.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  for (const name of NAMES) delete env[name];
}

/** The same, for another Node of ours that takes it back in turn. */
export function ownTuning(): NodeJS.ProcessEnv {
  return taken;
}
