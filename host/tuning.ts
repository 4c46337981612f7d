/** Out of the environment with what the launcher has put there for this process alone (bin/tuning.sh). What the caller has set stays. */
export function takeBackTuning(env: NodeJS.ProcessEnv = process.env): void {
  if (env['LICHEN_TUNED'] === undefined) return;
  for (const name of ['LICHEN_TUNED', 'GLIBC_TUNABLES', 'LD_PRELOAD']) delete env[name];
}
