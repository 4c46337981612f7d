/**
 * Which make of an interface the whole suite runs on, in words for the command line under test:
 * `LICHEN_TEST_RUNTIME=embedded LICHEN_TEST_MONITOR=embedded npm test`.
 * Hosts whose own environment names a make keep it.
 */
export function chosenMakes(env: NodeJS.ProcessEnv = process.env): Readonly<Record<string, string>> {
  const { LICHEN_TEST_MONITOR: monitor, LICHEN_TEST_RUNTIME: runtime } = env;
  return { ...(monitor && { LICHEN_MONITOR: monitor }), ...(runtime && { LICHEN_RUNTIME: runtime }) };
}

/** The suite runs on the monitor of our own. */
export const onOwnMonitor = process.env['LICHEN_TEST_MONITOR'] === 'embedded';

/** In the command line of a monitor, whichever make it is. */
export const MONITOR = /^\S*conmon |monitor-main\./;
