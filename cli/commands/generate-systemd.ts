import { join } from 'node:path';
import { compareText } from '../../core/compare-text.ts';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import { systemWords } from '../../core/system-words.ts';
import { placesOf } from '../../libpod/container/places.ts';
import { replaceFile } from '../../host/replace-file.ts';
import type { Engine } from '../../libpod/engine.ts';
import { podTable } from '../../libpod/pod/rows.ts';
import { parseEnv } from '../../libpod/spec/parse/env.ts';
import type { ContainerRecord } from '../../libpod/state/containers.ts';
import type { PodConfig } from '../../libpod/state/pods.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { generateSystemdFace } from '../faces/generate-systemd.ts';
import type { FlagValues } from '../flag.ts';
import { encodeJson, ONE_SPACE } from '../format/json.ts';
import { containerUnit, containerUnitName, type UnitWish } from '../units/container-unit.ts';
import { podIdFile, podUnit, podUnitName } from '../units/pod-unit.ts';
import type { Unit } from '../units/unit-text.ts';
import { VERSION } from '../version.ts';

type Flags = FlagValues<typeof generateSystemdFace.flags>;

const NOTICE = `
DEPRECATED command:
It is recommended to use Quadlets for running containers and pods under systemd.

Please refer to podman-systemd.unit(5) for details.
`;

export const command = defineCommand(generateSystemdFace, async (context, [name = ''], flags) => {
  context.stderr.write(NOTICE);
  if (context.given.has('time') && context.given.has('stop-timeout')) {
    throw new EngineError('INVALID_ARGUMENT', 'stop-timeout and time are redundant and cannot be used together');
  }
  const variables = flags.env.flatMap((text) => parseVariable(text, context.env));
  const engine = await context.openEngine();
  const found = lookUp(engine, name);
  const units =
    found.kind === 'pod' ? podUnits(engine, found.pod, flags, variables) : [unitOfContainer(engine, found.record, flags, variables)];
  checkFormat(flags);
  const shown = units.map((unit) => {
    const text = `${header(unit, flags)}\n${unit.text}`;
    return [unit.name, flags.files ? write(context, unit, text) : text] as const;
  });
  if (flags.format === 'json') {
    const byName = shown.toSorted(([a], [b]) => compareText(a, b));
    context.stdout.line(encodeJson(Object.fromEntries(byName), ONE_SPACE));
  } else {
    const texts = shown.map(([, text]) => text);
    context.stdout.write(flags.files ? `${texts.join('\n')}\n` : texts.join('\n'));
  }
});

function unitOfContainer(engine: Engine, record: ContainerRecord, flags: Flags, variables: readonly string[]): Unit {
  warnOfRestarts(record, flags);
  return containerUnit(unitWish(engine, record, flags, variables));
}

function unitWish(engine: Engine, record: ContainerRecord, flags: Flags, variables: readonly string[]): UnitWish {
  return {
    config: record.config,
    pidFile: record.config.monitorPidFile ?? join(placesOf(engine, record.id).run, 'conmon.pid'),
    runDirectory: engine.paths.run,
    self: engine.options.self,
    byName: flags.name,
    anew: flags.new,
    template: flags.template,
    prefix: flags['container-prefix'],
    separator: flags.separator,
    restartPolicy: flags['restart-policy'],
    restartSeconds: flags['restart-sec'],
    startTimeoutSeconds: flags['start-timeout'],
    stopTimeoutSeconds: flags['stop-timeout'] ?? flags.time,
    wants: flags.wants,
    after: flags.after,
    requires: flags.requires,
    variables,
  };
}

/** That of the pod, then those of its containers, which are bound to it and to those that they need. */
function podUnits(engine: Engine, pod: PodConfig, flags: Flags, variables: readonly string[]): readonly Unit[] {
  if (flags.template) throw new EngineError('INVALID_ARGUMENT', '--template is not supported for pods');
  const infra = pod.infraId && engine.containers.get(pod.infraId);
  if (infra === undefined)
    throw new EngineError('NOT_SUPPORTED', `generating systemd unit files: Pod ${JSON.stringify(pod.name)} has no infra container`);
  const members = engine.containers.inPod(pod.id).filter(({ id }) => id !== infra.id);
  for (const record of members) warnOfRestarts(record, flags);
  const wishes = new Map(members.map((record) => [record.id, unitWish(engine, record, flags, variables)]));
  const names = new Map([...wishes].map(([id, wish]) => [id, containerUnitName(wish)]));
  const wish = { ...unitWish(engine, infra, flags, []), pod, prefix: flags['pod-prefix'] };
  const unit = podUnitName(wish);
  const containers = [...wishes].map(([id, member]) => {
    const needed = engine.containers.dependencies(id).flatMap((other) => names.get(other) ?? []);
    return containerUnit({ ...member, inPod: { podIdFile: podIdFile(unit), boundTo: [...needed, unit] } });
  });
  return [podUnit(wish, [...names.values()]), ...containers];
}

function parseVariable(text: string, env: NodeJS.ProcessEnv): readonly string[] {
  if (text === '') throw new EngineError('INVALID_ARGUMENT', 'parsing environment variables: invalid variable: ""');
  try {
    return parseEnv(text, env).map((pair) => pair.join('='));
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `parsing environment variables: ${(cause as Error).message}`, { cause });
  }
}

type Found = { readonly kind: 'container'; readonly record: ContainerRecord } | { readonly kind: 'pod'; readonly pod: PodConfig };

function lookUp(engine: Engine, name: string): Found {
  try {
    return { kind: 'container', record: engine.containers.find(name) };
  } catch (error) {
    if (!isEngineError(error, 'NO_SUCH_CONTAINER')) throw error;
    try {
      return { kind: 'pod', pod: podTable(engine).find(name) };
    } catch (podError) {
      const pods = (podError as Error).message;
      throw new EngineError(error.code, `${name} does not refer to a container or pod: ${pods}: ${error.message}`, { cause: error });
    }
  }
}

/** A container that is made anew has none. */
function warnOfRestarts({ config: { id, restart } }: ContainerRecord, flags: Flags): void {
  if (flags.new || flags.template || restart.name === 'no') return;
  log.warn(
    `Container ${id} has restart policy ${JSON.stringify(restart.name)} which can lead to issues on shutdown: consider recreating the container without a restart policy and use systemd's restart mechanism instead`,
  );
}

function header({ file }: Unit, flags: Flags): string {
  const made = `# autogenerated by lichen ${VERSION}\n# ${new Date().toUTCString()}\n`;
  return `# ${file}\n${flags['no-header'] ? '' : made}`;
}

function checkFormat({ format = '' }: Flags): void {
  if (format !== '' && format !== 'json') throw new EngineError('INVALID_ARGUMENT', `unknown --format argument: ${format}`);
}

/** Where it was written to. */
function write({ cwd }: CommandContext, { file }: Unit, text: string): string {
  const path = join(cwd, file);
  try {
    replaceFile(path, text, 0o644);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `open ${path}: ${systemWords(cause)}`, { cause });
  }
  return path;
}
