/** Small grammars of create: restart policy, pull policy, platform, log options, sysctls, umask, time zone, root file system. */
import { parseDecimalSize } from '../../../core/size.ts';
import type { Platform } from '../../../storage/image.ts';
import type { ContainerWish, LogDriver, LogWish, PullPolicy, RestartPolicy, RootfsWish, Sdnotify } from '../wish.ts';
import { invalid, parseAtoi } from './go.ts';

const RESTART_NAMES: Readonly<Record<string, RestartPolicy['name']>> = {
  '': 'no',
  no: 'no',
  never: 'no',
  always: 'always',
  'on-failure': 'on-failure',
  'unless-stopped': 'unless-stopped',
};

/** `no`, `never`, `always`, `unless-stopped`, `on-failure[:retries]`. Throws INVALID_ARGUMENT. */
export function parseRestartPolicy(text: string): RestartPolicy {
  const colon = text.indexOf(':');
  const word = colon < 0 ? text : text.slice(0, colon);
  if (colon >= 0 && word !== 'on-failure') throw invalid('restart policy retries can only be specified with on-failure restart policy');
  const name = Object.hasOwn(RESTART_NAMES, word) ? RESTART_NAMES[word] : undefined;
  if (name === undefined)
    throw invalid(`running container create option: ${JSON.stringify(text)} is not a valid restart policy: invalid argument`);
  return colon < 0 ? { name } : { name, maxRetries: parseRetries(text.slice(colon + 1)) };
}

function parseRetries(text: string): number {
  let retries: number;
  try {
    retries = parseAtoi(text);
  } catch (error) {
    throw invalid(`parsing restart policy retry count: ${(error as Error).message}`);
  }
  if (retries < 0) throw invalid('must specify restart policy retry count as a number greater than 0');
  return retries;
}

/** The four policies, and the older `true` and `false`. Throws INVALID_ARGUMENT. */
export function parsePullPolicy(text: string): PullPolicy {
  switch (text.toLowerCase()) {
    case 'always':
    case 'missing':
    case 'never':
    case 'newer':
      return text.toLowerCase() as PullPolicy;
    case '':
    case 'ifnotpresent':
      return 'missing';
    case 'ifnewer':
      return 'newer';
    case 'true':
    case '1':
      return 'always';
    case 'false':
    case '0':
      return 'never';
    default:
      throw invalid(`unsupported pull policy ${JSON.stringify(text)}`);
  }
}

/** `os[/architecture[/variant]]`. */
export function parsePlatform(text: string): Partial<Platform> {
  const [os, architecture, variant] = text.split('/');
  return { ...(os && { os }), ...(architecture && { architecture: architectureName(architecture) }), ...(variant && { variant }) };
}

const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'amd64'],
  ['x86-64', 'amd64'],
  ['aarch64', 'arm64'],
  ['armhf', 'arm'],
  ['i386', '386'],
  ['i686', '386'],
]);

/** What uname says, in Go's words. */
export function architectureName(text: string): string {
  return ARCHITECTURES.get(text) ?? text;
}

/** `--sdnotify`. Throws INVALID_ARGUMENT. */
export function parseSdnotify(text: string): Sdnotify['mode'] {
  switch (text) {
    case '':
      return 'container';
    case 'container':
    case 'conmon':
    case 'healthy':
    case 'ignore':
      return text;
    default:
      throw invalid(
        `invalid config provided: invalid argument: invalid sdnotify value ${JSON.stringify(text)}: must be conmon, container, healthy or ignore`,
      );
  }
}

/** `--log-driver` and all `--log-opt`. Throws INVALID_ARGUMENT, NOT_SUPPORTED. */
export function parseLog(driver: string | undefined, texts: readonly string[]): LogWish {
  const options = Object.fromEntries(texts.map(parseLogOption));
  const size = options['max-size'];
  const known = driver === undefined ? undefined : parseLogDriver(driver);
  return {
    ...(known !== undefined && { driver: known }),
    ...(options['path'] !== undefined && { path: options['path'] }),
    ...(options['tag'] !== undefined && { tag: options['tag'] }),
    ...(size !== undefined && { maxSizeBytes: parseDecimalSize(size) }),
    ...(texts.length > 0 && { options }),
  };
}

function parseLogOption(text: string): readonly [key: string, value: string] {
  const equals = text.indexOf('=');
  if (equals <= 0) throw invalid(`invalid log option ${JSON.stringify(text)}`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** Throws INVALID_ARGUMENT. */
export function parseLogDriver(text: string): LogDriver {
  switch (text) {
    case 'k8s-file':
    case 'json-file':
    case 'journald':
    case 'none':
    case 'passthrough':
    case 'passthrough-tty':
      return text;
    default:
      throw invalid('running container create option: invalid log driver: invalid argument');
  }
}

/** Which names are allowed is not decided here. Throws INVALID_ARGUMENT. */
export function parseSysctl(text: string): readonly [key: string, value: string] {
  const equals = text.indexOf('=');
  if (equals < 0) throw invalid(`${text} is invalid, sysctl values must be in the form of KEY=VALUE`);
  return [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
}

/** Up to four octal digits, given back as four. */
export function parseUmask(text: string): string {
  if (!/^[0-7]{1,4}$/.test(text)) throw invalid(`running container create option: invalid umask string ${text}: invalid argument`);
  return text.padStart(4, '0');
}

/** A JSON array of words, or one word. An empty text clears the image's entrypoint. */
export function parseEntrypoint(text: string): readonly string[] {
  if (text === '') return [];
  if (text.startsWith('[')) {
    try {
      const words: unknown = JSON.parse(text);
      if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words;
    } catch {
      // Not JSON: the text is one word, brackets and all, as Podman has it.
    }
  }
  return [text];
}

/** `PATH` or `PATH:O`; any other colon belongs to the path. */
export function parseRootfs(text: string): RootfsWish {
  return text.endsWith(':O') ? { path: text.slice(0, -2), overlay: true } : { path: text, overlay: false };
}

export function parseImageVolumes(text: string): NonNullable<ContainerWish['imageVolumes']> {
  if (text === 'anonymous' || text === 'bind' || text === 'tmpfs' || text === 'ignore') return text;
  throw invalid(`invalid image volume mode ${JSON.stringify(text)} required value: anonymous, tmpfs, ignore`);
}

export function parseSystemdMode(text: string): NonNullable<ContainerWish['systemd']> {
  const word = text.toLowerCase();
  if (word === 'true' || word === 'false' || word === 'always') return word;
  throw invalid('invalid config provided: --systemd values must be one of "true, false, always": invalid configuration');
}

export function parseCgroupsMode(text: string): NonNullable<ContainerWish['cgroups']> {
  if (text === 'enabled' || text === 'disabled' || text === 'no-conmon' || text === 'split') return text;
  throw invalid(`running container create option: invalid cgroup mode ${JSON.stringify(text)}: invalid argument`);
}
