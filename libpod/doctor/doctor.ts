/**
 * `doctor`: what this machine has and lacks for containers. The store need not be sound, nor namespaces possible: what is wrong is a finding.
 *
 * Probes of what an ordinary user can do outside run in this process. Those of mounts, networks and cgroups run where containers would: a second
 * lichen is started in namespaces made for the purpose, which end with it.
 */
import { EngineError, isEngineError } from '../../core/errors.ts';
import { thisDistribution } from '../../host/distribution.ts';
import type { Distribution } from '../../core/distribution.ts';
import { enteredAs, readIdentity } from '../../host/identity.ts';
import { enterArgv, needsPause, temporaryNamespaces } from '../../host/pause.ts';
import { choosePaths } from '../../host/paths.ts';
import { runHelper } from '../../host/process.ts';
import { askedMonitor, askedRuntime, type EngineOptions } from '../engine.ts';
import { loadSettings, type Settings } from '../settings.ts';
import { missing, lackOf, type NamedFinding, ok, type Patient, runProbes, type Verdict } from './probe.ts';

export interface Diagnosis {
  readonly verdict: Verdict;
  readonly distribution: Distribution;
  readonly findings: readonly NamedFinding[];
}

/** Never throws for what it finds. */
export async function diagnose(options: EngineOptions, insideArgs: readonly string[]): Promise<Diagnosis> {
  const { patient, configuration } = await readPatient(options);
  const [{ OUTSIDE }, { userIds }] = await Promise.all([import('./outside.ts'), import('./user-ids.ts')]);
  const [outside, inside] = await Promise.all([runProbes(OUTSIDE, patient), lookInside(patient, insideArgs)]);
  const forbidden = isEngineError(inside.failure, 'USER_NAMESPACE') || outside.some(isForbidden);
  const ids = { name: 'user-ids', ...(await userIds(patient, forbidden ? undefined : inside.failure)) };
  const findings = inOrder([configuration, ...outside, ids, ...inside.findings]);
  const worst = (['missing', 'degraded'] as const).find((verdict) => findings.some((one) => one.verdict === verdict));
  return { verdict: worst ?? 'ok', distribution: thisDistribution(), findings };
}

/** Called in the second lichen. */
export async function diagnoseInside(options: EngineOptions): Promise<readonly NamedFinding[]> {
  const [{ patient }, { INSIDE }] = await Promise.all([readPatient(options), import('./inside.ts')]);
  return runProbes(INSIDE, patient);
}

async function readPatient(options: EngineOptions): Promise<{ readonly patient: Patient; readonly configuration: NamedFinding }> {
  const { env, root, runroot } = options;
  const identity = readIdentity(env);
  const paths = choosePaths(identity, env, { root, runroot });
  const read = async (): Promise<[Settings, NamedFinding]> => {
    try {
      const settings = await loadSettings(env, paths.config, options.modules);
      return [settings, { name: 'configuration', ...ok('containers.conf can be read') }];
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const settings = await loadSettings({ CONTAINERS_CONF: '/dev/null' }, '/nonexistent', []);
      return [settings, { name: 'configuration', ...missing(lackOf(error, 'no command on containers and images works')) }];
    }
  };
  const [settings, configuration] = await read();
  return {
    patient: {
      identity,
      env,
      paths,
      settings,
      wanted: { runtime: askedRuntime({ options, settings })?.name, monitor: askedMonitor(options)?.name },
      launcher: options.self[0]!,
    },
    configuration,
  };
}

interface Inside {
  readonly findings: readonly NamedFinding[];
  readonly failure?: unknown;
}

async function lookInside({ identity, env }: Patient, args: readonly string[]): Promise<Inside> {
  const command = [process.execPath, ...process.execArgv, '--', process.argv[1]!, ...args];
  try {
    using namespaces = needsPause(identity) ? await temporaryNamespaces(identity) : undefined;
    const [program = '', ...rest] = namespaces === undefined ? command : enterArgv(namespaces.record, command);
    const { stdout } = await runHelper(program, rest, {
      env: { ...env, ...enteredAs(identity) },
      timeoutMs: 60_000,
      package: 'util-linux',
    });
    return { findings: JSON.parse(stdout) as NamedFinding[] };
  } catch (failure) {
    const { INSIDE } = await import('./inside.ts');
    const lack = { what: 'not tried: the namespaces of a session cannot be made', loss: '', mend: [] };
    return { findings: INSIDE.map(({ name }) => ({ name, ...missing(lack) })), failure };
  }
}

/** As a reader wants to know: what everything needs comes first. */
const ORDER = `configuration kernel util-linux user-namespace user-ids runtime monitor init store disk database overlay fuse run-directory
  service-manager linger network-namespace tun pasta slirp4netns bridges cgroups security inotify keyring clock`.split(/\s+/);

function inOrder(findings: readonly NamedFinding[]): readonly NamedFinding[] {
  return findings.toSorted((one, other) => ORDER.indexOf(one.name) - ORDER.indexOf(other.name));
}

function isForbidden({ name, verdict }: NamedFinding): boolean {
  return (name === 'user-namespace' || name === 'util-linux') && verdict === 'missing';
}
