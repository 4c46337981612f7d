/** `--change` of import and commit: Dockerfile instructions that only touch the config. */
import { EngineError } from '../../core/errors.ts';
import type { ContainerDefaults } from '../image.ts';

/** Apply one after the other. Throws INVALID_ARGUMENT with Podman's words. */
export function applyChanges(config: ContainerDefaults, changes: readonly string[]): ContainerDefaults {
  return changes.reduce(applyChange, config);
}

function applyChange(config: ContainerDefaults, change: string): ContainerDefaults {
  const { instruction, value } = split(change);
  const bad = (why: string): EngineError => new EngineError('INVALID_ARGUMENT', `invalid change ${JSON.stringify(change)} - ${why}`);
  const apply = INSTRUCTIONS[instruction];
  if (apply === undefined) throw bad(`invalid instruction ${instruction}`);
  if (value === '') throw bad(`must provide ${instruction} value`);
  return apply(config, value, bad);
}

type Apply = (config: ContainerDefaults, value: string, bad: (why: string) => EngineError) => ContainerDefaults;

const INSTRUCTIONS: Readonly<Record<string, Apply | undefined>> = {
  USER: (config, value) => ({ ...config, User: value }),
  WORKDIR: (config, value) => ({ ...config, WorkingDir: value }),
  STOPSIGNAL: (config, value) => ({ ...config, StopSignal: value }),
  CMD: (config, value, bad) => ({ ...config, Cmd: parseCommand(value, bad) }),
  ENTRYPOINT: (config, value, bad) => ({ ...config, Entrypoint: parseCommand(value, bad) }),
  ONBUILD: (config, value) => ({ ...config, OnBuild: [...(config.OnBuild ?? []), value] }),
  ENV: (config, value, bad) => {
    const [name, text] = parsePair(value, bad);
    const others = (config.Env ?? []).filter((entry) => !entry.startsWith(`${name}=`));
    return { ...config, Env: [...others, `${name}=${text}`] };
  },
  LABEL: (config, value, bad) => {
    const [name, text] = parsePair(value, bad);
    return { ...config, Labels: { ...config.Labels, [name]: text } };
  },
  EXPOSE: (config, value, bad) => ({ ...config, ExposedPorts: { ...config.ExposedPorts, [parsePort(value, bad)]: {} } }),
  VOLUME: (config, value, bad) => ({
    ...config,
    Volumes: { ...config.Volumes, ...Object.fromEntries(parseList(value, bad).map((path) => [path, {}])) },
  }),
};

/** `CMD=/bin/sh` and `CMD /bin/sh`. */
function split(change: string): { instruction: string; value: string } {
  const at = change.search(/[ =\t]/);
  const word = at === -1 ? change : change.slice(0, at);
  return { instruction: word.trim().toUpperCase(), value: at === -1 ? '' : change.slice(at + 1).trim() };
}

/** A JSON array is an argv; anything else is a shell line. */
function parseCommand(value: string, bad: (why: string) => EngineError): readonly string[] {
  return value.startsWith('[') ? parseArray(value, bad) : ['/bin/sh', '-c', value];
}

function parseList(value: string, bad: (why: string) => EngineError): readonly string[] {
  return value.startsWith('[') ? parseArray(value, bad) : [value];
}

function parseArray(value: string, bad: (why: string) => EngineError): readonly string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    throw bad(`not a JSON array: ${value}`);
  }
  if (!Array.isArray(parsed) || !parsed.every((item) => typeof item === 'string')) throw bad(`not a JSON array of strings: ${value}`);
  return parsed;
}

/** `A=b` and `A b`. */
function parsePair(value: string, bad: (why: string) => EngineError): readonly [string, string] {
  const at = value.search(/[= ]/);
  if (at === 0) throw bad('no name given');
  return at === -1 ? [value, ''] : [value.slice(0, at), value.slice(at + 1)];
}

function parsePort(value: string, bad: (why: string) => EngineError): string {
  const match = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(value);
  if (!match || Number(match[1]) > 65535) throw bad(`invalid port ${JSON.stringify(value)}`);
  return `${Number(match[1])}/${(match[2] ?? 'tcp').toLowerCase()}`;
}
