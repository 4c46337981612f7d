/** `--opt` of `network create`, by driver, in the form in which netavark takes them. Pure. */
import { EngineError } from '../../core/errors.ts';

export type Driver = 'bridge' | 'macvlan' | 'ipvlan';

export const DRIVERS: readonly string[] = ['bridge', 'macvlan', 'ipvlan'] satisfies readonly Driver[];

export interface DriverOptions {
  readonly options: Readonly<Record<string, string>>;
  /** `com.docker.network.bridge.name` or `parent`. */
  readonly interfaceName?: string;
}

const MODES: Readonly<Record<Driver, readonly string[]>> = {
  bridge: ['managed', 'unmanaged'],
  macvlan: ['bridge', 'private', 'vepa', 'passthru'],
  ipvlan: ['l2', 'l3', 'l3s'],
};

/** Throws INVALID_ARGUMENT. */
export function driverOptions(driver: Driver, given: Readonly<Record<string, string>>): DriverOptions {
  const options: Record<string, string> = {};
  let interfaceName: string | undefined;
  for (const [key, value] of Object.entries(given)) {
    const known = KNOWN[driver][key];
    if (known === undefined) throw invalid(`unsupported ${driver} network option ${key}`);
    if (known === 'interface') interfaceName = value;
    else options[known] = CHECKS[known](value, driver);
  }
  return { options, ...(interfaceName === undefined || interfaceName === '' ? {} : { interfaceName }) };
}

type Known = keyof typeof CHECKS;

const SHARED = {
  mtu: 'mtu',
  'com.docker.network.driver.mtu': 'mtu',
  metric: 'metric',
  mode: 'mode',
  no_default_route: 'no_default_route',
} as const;

const KNOWN: Readonly<Record<Driver, Readonly<Record<string, Known | 'interface'>>>> = {
  bridge: { ...SHARED, isolate: 'isolate', vlan: 'vlan', vrf: 'vrf', 'com.docker.network.bridge.name': 'interface' },
  macvlan: { ...SHARED, bclim: 'bclim', parent: 'interface' },
  ipvlan: { ...SHARED, parent: 'interface' },
};

const CHECKS = {
  mtu: (text: string) => (text === '' || atoi(text) >= 0 ? text : fail(`mtu ${text} is less than zero`)),
  vlan: (text: string) =>
    text === '' || (atoi(text) >= 0 && atoi(text) <= 4094) ? text : fail(`vlan ID ${Number(text)} must be between 0 and 4094`),
  metric: (text: string) => (/^\d+$/.test(text) ? text : fail(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)),
  bclim: (text: string) => (Number.isSafeInteger(atoi(text)) ? text : fail(`bclim ${text} is out of range`)),
  isolate: (text: string) => (text === 'strict' ? text : parseBool(text, 'failed to parse isolate option: ')),
  no_default_route: (text: string) => parseBool(text, ''),
  vrf: (text: string) => (text === '' ? fail('invalid vrf name') : text),
  mode: (text: string, driver: Driver) => (MODES[driver].includes(text) ? text : fail(`unknown ${driver} mode ${JSON.stringify(text)}`)),
} as const satisfies Readonly<Record<string, (text: string, driver: Driver) => string>>;

function atoi(text: string): number {
  return /^[+-]?\d+$/.test(text) ? Number(text) : fail(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function parseBool(text: string, prefix: string): string {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return 'true';
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return 'false';
  return fail(`${prefix}strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function fail(message: string): never {
  throw invalid(message);
}

function invalid(message: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', message);
}
