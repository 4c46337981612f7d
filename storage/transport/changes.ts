/** `--change` of import and commit: Dockerfile instructions that only touch the config. */
import { EngineError } from '../../core/errors.ts';
import { parseSignal } from '../../core/signal.ts';
import type { ContainerDefaults } from '../image.ts';

/** Apply one after the other. Throws INVALID_ARGUMENT with Podman's words. */
export function applyChanges(config: ContainerDefaults, changes: readonly string[]): ContainerDefaults {
  return changes.reduce(applyChange, config);
}

function applyChange(config: ContainerDefaults, change: string): ContainerDefaults {
  const bad = (why: string): EngineError => new EngineError('INVALID_ARGUMENT', `invalid change ${JSON.stringify(change)} - ${why}`);
  const { instruction, value } = split(change, bad);
  const apply = INSTRUCTIONS[instruction];
  if (apply === undefined) throw bad(`invalid instruction ${instruction}`);
  if (value === '') throw bad(`must provide a value to ${instruction}`);
  return apply(config, value, bad);
}

type Bad = (why: string) => EngineError;
type Apply = (config: ContainerDefaults, value: string, bad: Bad) => ContainerDefaults;

const INSTRUCTIONS: Readonly<Record<string, Apply | undefined>> = {
  USER: (config, value) => ({ ...config, User: value }),
  WORKDIR: (config, value) => ({ ...config, WorkingDir: value }),
  STOPSIGNAL: (config, value, bad) => ({ ...config, StopSignal: parseStopSignal(value, bad) }),
  CMD: (config, value) => ({ ...config, Cmd: parseCommand(value) }),
  ENTRYPOINT: (config, value) => ({ ...config, Entrypoint: parseCommand(value) }),
  ONBUILD: (config, value) => ({ ...config, OnBuild: [...(config.OnBuild ?? []), value] }),
  ENV: (config, value, bad) => {
    const at = value.search(/[= ]/);
    if (at === 0) throw bad('ENV must have at least one argument');
    const [name, text] = at === -1 ? [value, ''] : [value.slice(0, at), unquoted(value.slice(at + 1))];
    const others = (config.Env ?? []).filter((entry) => !entry.startsWith(`${name}=`));
    return { ...config, Env: [...others, `${name}=${text}`] };
  },
  LABEL: (config, value, bad) => {
    const at = value.indexOf('=');
    if (at === -1) throw bad('LABEL must be formatted key=value');
    if (at === 0) throw bad('LABEL must have a non-empty key');
    return { ...config, Labels: { ...config.Labels, [unquoted(value.slice(0, at))]: unquoted(value.slice(at + 1)) } };
  },
  EXPOSE: (config, value, bad) => ({ ...config, ExposedPorts: { ...config.ExposedPorts, [parsePort(value, bad)]: {} } }),
  VOLUME: (config, value, bad) => {
    const paths = parseArray(value) ?? value.split(' ').filter((path) => path !== '');
    if (paths.length === 0) throw bad('must provide at least one argument to VOLUME');
    if (paths.includes('')) throw bad('VOLUME paths must not be empty');
    return { ...config, Volumes: { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) } };
  },
};

/** `CMD=/bin/sh` and `CMD /bin/sh`. */
function split(change: string, bad: Bad): { instruction: string; value: string } {
  const at = change.search(/[ =\t]/);
  if (at === -1) throw bad('must be formatted as KEY VALUE');
  return { instruction: change.slice(0, at).trim().toUpperCase(), value: change.slice(at + 1).trim() };
}

/** A JSON array is an argv; anything else is a shell line. */
function parseCommand(value: string): readonly string[] {
  return parseArray(value) ?? ['/bin/sh', '-c', value];
}

function parseArray(value: string): readonly string[] | undefined {
  if (!value.startsWith('[')) return undefined;
  try {
    const parsed: unknown = JSON.parse(value);
    return Array.isArray(parsed) && parsed.every((item) => typeof item === 'string') ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function unquoted(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

/** Podman writes the number down, whatever name it was given. */
function parseStopSignal(value: string, bad: Bad): string {
  try {
    return /^\d+$/.test(value) ? value : String(parseSignal(value));
  } catch (error) {
    throw bad(`KILLSIGNAL must be given a valid signal: ${(error as Error).message}`);
  }
}

function parsePort(value: string, bad: Bad): string {
  const [port = '', protocol = 'tcp', ...more] = value.split('/');
  if (more.length > 0) throw bad('EXPOSE port must be formatted as PORT[/PROTO]');
  if (!/^[+-]?\d+$/.test(port)) throw bad(`EXPOSE port must be an integer: strconv.Atoi: parsing ${JSON.stringify(port)}: invalid syntax`);
  if (Number(port) < 1 || Number(port) > 65535) throw bad('EXPOSE port must be a valid port number');
  if (!['tcp', 'udp', 'sctp'].includes(protocol.toLowerCase())) throw bad('EXPOSE protocol must be TCP or UDP');
  return `${Number(port)}/${protocol.toLowerCase()}`;
}
