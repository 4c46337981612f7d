/** The programs that run and watch containers. */
import { EngineError } from '../../core/errors.ts';
import { NO_MONITOR, NO_RUNTIME } from '../../core/lack.ts';
import { findProgram, HELPER_DIRECTORIES } from '../../host/search.ts';
import { findConmon } from '../monitor/conmon.ts';
import { openOciRuntime } from '../runtime/oci.ts';
import { describeHelper } from '../system/programs.ts';
import { degraded, type Finding, lackOf, missing, ok, type Probe } from './probe.ts';

export const runtime: Probe = {
  name: 'runtime',
  run: async ({ wanted, settings }) => {
    const name = wanted.runtime ?? settings.runtime;
    try {
      const { path } = openOciRuntime({ wanted: name, flags: [], stateRoot: '/', cgroupManager: 'disabled' });
      return await working(path, NO_RUNTIME.loss);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      return missing(name === undefined ? NO_RUNTIME : lackOf(error, NO_RUNTIME.loss), { path: null });
    }
  },
};

export const monitor: Probe = {
  name: 'monitor',
  run: async ({ settings, wanted }) => {
    const path = findConmon({ wanted: wanted.conmon, directories: settings.conmonPaths });
    if (path !== undefined) return working(path, NO_MONITOR.loss);
    const lack = wanted.conmon === undefined ? NO_MONITOR : { ...NO_MONITOR, what: `${wanted.conmon}: not found` };
    return missing(lack, { path: null });
  },
};

/** What `--init` starts. */
export const init: Probe = {
  name: 'init',
  run: async ({ settings }) => {
    const path = findProgram('catatonit', [...settings.helperDirectories, ...HELPER_DIRECTORIES]);
    if (path !== undefined) return working(path, '--init cannot be used');
    return degraded(
      { what: 'catatonit is not installed', loss: '--init cannot be used', mend: [{ install: 'catatonit' }] },
      { path: null },
    );
  },
};

/** A program that is there and does not start is as good as missing. */
async function working(path: string, loss: string): Promise<Finding> {
  const facts = await describeHelper(path);
  const [version = ''] = facts.version.split('\n');
  const shown = { path, version, package: facts.package };
  if (facts.version === '') return missing({ what: `${path} does not start`, loss, mend: [{ asUser: `${path} --version` }] }, shown);
  return ok(`${path} (${version})`, shown);
}
