/** The programs that run and watch containers. */
import { dirname, join } from 'node:path';
import { MONITOR_MEMORY, NO_MONITOR, NO_RUNTIME, type Lack } from '../../core/lack.ts';
import { isEngineError } from '../../core/errors.ts';
import { findProgram, HELPER_DIRECTORIES } from '../../host/search.ts';
import { findConmon } from '../monitor/choose.ts';
import { openOciRuntime } from '../runtime/oci.ts';
import { describeHelper } from '../system/programs.ts';
import { degraded, type Finding, lackOf, missing, ok, type Patient, type Probe } from './probe.ts';

const NO_START = 'containers cannot be started';

export const runtime: Probe = {
  name: 'runtime',
  run: async ({ wanted, launcher }) => {
    const embedded = join(dirname(launcher), 'lichen-runtime');
    const asked = wanted.runtime;
    try {
      const { name, path } = await openOciRuntime({ wanted: asked, flags: [], stateRoot: '/', cgroupManager: 'disabled', embedded });
      const found = await working(path);
      return name === 'embedded' && asked === undefined && found.verdict === 'ok' ? degraded(NO_RUNTIME, found.facts) : found;
    } catch (error) {
      if (!isEngineError(error, 'INVALID_ARGUMENT')) throw error;
      return missing(lackOf(error, NO_START), { path: null });
    }
  },
};

export const monitor: Probe = { name: 'monitor', run: (patient) => askedMonitor(patient) };

async function askedMonitor({ settings, wanted }: Patient): Promise<Finding> {
  try {
    const path = findConmon({ wanted: wanted.monitor, directories: settings.conmonPaths });
    if (path !== undefined) return await working(path);
    if (wanted.monitor === undefined) return degraded(NO_MONITOR, { path: null });
    return ok(`the one that lichen brings along, ${MONITOR_MEMORY} for each container`, { path: null });
  } catch (error) {
    if (!isEngineError(error, 'HELPER_MISSING')) throw error;
    return missing(lackOf(error, NO_START), { path: null });
  }
}

/** What `--init` starts. */
export const init: Probe = {
  name: 'init',
  run: ({ settings }) => {
    const directories = [...settings.helperDirectories, ...HELPER_DIRECTORIES];
    const path = ['catatonit', 'tini', 'docker-init'].map((name) => findProgram(name, directories)).find((one) => one !== undefined);
    return ok(path ?? 'the one that lichen brings along', { path: path ?? null });
  },
};

/** A program that is there and does not start is as good as missing. */
async function working(path: string): Promise<Finding> {
  const facts = await describeHelper(path);
  const [version = ''] = facts.version.split('\n');
  const shown = { path, version, package: facts.package };
  const lack: Lack = { what: `${path} does not start`, loss: NO_START, mend: [{ asUser: `${path} --version` }] };
  return facts.version === '' ? missing(lack, shown) : ok(`${path} (${version})`, shown);
}
