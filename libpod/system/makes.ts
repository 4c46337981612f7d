/** Which make of each interface containers get here, and why that one. `doctor` tells what another would be better for. */
import { isEngineError } from '../../core/errors.ts';
import { NO_BRIDGES, NO_MONITOR, NO_RUNTIME } from '../../core/lack.ts';
import { findProgram, HELPER_DIRECTORIES } from '../../host/search.ts';
import { chooseDefault } from '../../network/choose.ts';
import { networkMachine } from '../container/network.ts';
import { askedMonitor, askedRuntime, type Engine } from '../engine.ts';
import { probedDriver } from '../image/driver.ts';
import { fileBeside } from '../monitor/beside.ts';
import { EMBEDDED, findConmon } from '../monitor/choose.ts';
import { EMBEDDED as EMBEDDED_RUNTIME } from '../runtime/runtime.ts';

/** A type and not an interface: it is JSON. */
export type Make = {
  readonly name: string;
  /** Of its program; empty where it has none. */
  readonly path: string;
  readonly why: string;
};

export type Makes = Readonly<Record<'runtime' | 'monitor' | 'network' | 'driver', Make>>;

/** Of one that was asked for and is not there, the name is empty and `why` is the error. Throws as `driver` of the engine does. */
export async function chosenMakes(engine: Engine): Promise<Makes> {
  return {
    runtime: await orWhyNot('INVALID_ARGUMENT', () => runtimeMake(engine)),
    monitor: await orWhyNot('HELPER_MISSING', () => monitorMake(engine)),
    network: networkMake(engine),
    driver: await driverMake(engine),
  };
}

async function orWhyNot(code: 'INVALID_ARGUMENT' | 'HELPER_MISSING', make: () => Make | Promise<Make>): Promise<Make> {
  try {
    return await make();
  } catch (error) {
    if (isEngineError(error, code)) return { name: '', path: '', why: error.message };
    throw error;
  }
}

async function runtimeMake(engine: Engine): Promise<Make> {
  const { name, path } = await engine.runtime();
  const asked = askedRuntime(engine);
  if (asked !== undefined) return { name, path, why: `asked for by ${asked.by}` };
  return { name, path, why: name === EMBEDDED_RUNTIME ? NO_RUNTIME.what : `${name} is installed` };
}

function monitorMake({ options, settings }: Pick<Engine, 'options' | 'settings'>): Make {
  const asked = askedMonitor(options);
  const conmon = findConmon({ wanted: asked?.name, directories: settings.conmonPaths });
  const make = conmon === undefined ? { name: EMBEDDED, path: fileBeside('monitor-main') } : { name: 'conmon', path: conmon };
  if (asked !== undefined) return { ...make, why: `asked for by ${asked.by}` };
  if (conmon === undefined) return { ...make, why: NO_MONITOR.what };
  return { ...make, why: settings.conmonPaths.includes(conmon) ? 'conmon_path of containers.conf' : 'conmon is installed' };
}

/** Of containers that ask for no network. */
function networkMake(engine: Engine): Make {
  const { identity, settings } = engine;
  const pathOf = (name: string): string => findProgram(name, [...settings.helperDirectories, ...HELPER_DIRECTORIES]) ?? '';
  if (!identity.rootless) {
    const path = pathOf('netavark');
    return path === '' ? { name: '', path, why: NO_BRIDGES.what } : { name: 'netavark', path, why: 'containers of root are on bridges' };
  }
  const preferred = settings.defaults.rootlessNetwork;
  const { name, lack } = chooseDefault(networkMachine(engine), preferred);
  if (lack !== undefined) return { name, path: '', why: lack.what };
  return { name, path: pathOf(name), why: name === preferred ? `${name} is installed` : `${preferred} is not installed` };
}

async function driverMake(engine: Engine): Promise<Make> {
  const { choice, why } = await probedDriver(engine);
  return { name: choice.kind, path: choice.kind === 'fuse-overlayfs' ? choice.program : '', why };
}
