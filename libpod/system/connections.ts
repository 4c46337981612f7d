/**
 * Destinations of Podman's remote service, as podman-system-connection(1) keeps them (podman-connections.json of containers/common). lichen has no
 * service and connects to none; other programs read and fill this file.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { isRecord } from '../../core/json.ts';
import { log } from '../../core/log.ts';
import { lockBeside, replaceFile } from '../../host/replace-file.ts';

const LOCK_TIMEOUT_MS = 10_000;

export interface Connection {
  readonly name: string;
  readonly uri: string;
  readonly identity: string;
  readonly isDefault: boolean;
}

interface Stored {
  readonly URI: string;
  readonly Identity?: string;
  readonly [other: string]: unknown;
}

/** The document as it is in the file; what we do not know of it is kept. */
interface Document {
  readonly Connection?: { readonly Default?: string; readonly Connections?: Readonly<Record<string, Stored>> };
  readonly [other: string]: unknown;
}

interface State {
  readonly first: string | undefined;
  readonly stored: ReadonlyMap<string, Stored>;
}

export class Connections {
  readonly #path: string;

  /** `config`: the user's directory for containers/common. */
  constructor(config: string, env: NodeJS.ProcessEnv) {
    this.#path = env['PODMAN_CONNECTIONS_CONF'] || join(config, 'podman-connections.json');
    if (!isAbsolute(this.#path)) throw new EngineError('CONFIG', `PODMAN_CONNECTIONS_CONF must be an absolute path: ${this.#path}`);
  }

  /** By name. Throws CONFIG where the file cannot be read. */
  list(): readonly Connection[] {
    const { first, stored } = stateOf(this.#read());
    return [...stored]
      .map(([name, { URI, Identity = '' }]) => ({ name, uri: URI, identity: Identity, isDefault: name === first }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** In the place of one of that name. The first one is the default. Throws CONFIG. */
  async add(name: string, destination: Stored, isDefault: boolean): Promise<void> {
    await this.#change(({ first, stored }) => ({
      first: isDefault || stored.size === 0 ? name : first,
      stored: new Map([...stored, [name, destination]]),
    }));
  }

  /** Throws INVALID_ARGUMENT where there is none of that name, CONFIG. */
  async setDefault(name: string): Promise<void> {
    await this.#change(({ stored }) => {
      known(stored, name);
      return { first: name, stored };
    });
  }

  /** Over one that has the new name already. Throws INVALID_ARGUMENT, CONFIG. */
  async rename(old: string, name: string): Promise<void> {
    await this.#change(({ first, stored }) => {
      const destination = known(stored, old);
      const others = [...stored].filter(([each]) => each !== old);
      return { first: first === old ? name : first, stored: new Map([...others, [name, destination]]) };
    });
  }

  /** One that is not there is fine. Throws CONFIG. */
  async remove(name: string): Promise<void> {
    await this.#change(({ first, stored }) => ({
      first: first === name ? undefined : first,
      stored: new Map([...stored].filter(([each]) => each !== name)),
    }));
  }

  /** Throws CONFIG. */
  async clear(): Promise<void> {
    await this.#change(() => ({ first: undefined, stored: new Map() }));
  }

  #read(): Document {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw error;
    }
    try {
      const document: unknown = JSON.parse(text);
      if (isRecord(document)) return document;
    } catch (cause) {
      throw new EngineError('CONFIG', `reading ${this.#path}: ${(cause as Error).message}`, { cause });
    }
    throw new EngineError('CONFIG', `reading ${this.#path}: the document is no object`);
  }

  async #change(change: (state: State) => State): Promise<void> {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    using _lock = await lockBeside(this.#path, LOCK_TIMEOUT_MS);
    const document = this.#read();
    const { first, stored } = change(stateOf(document));
    const connection = {
      ...(first !== undefined && { Default: first }),
      ...(stored.size > 0 && { Connections: Object.fromEntries(stored) }),
    };
    replaceFile(this.#path, `${JSON.stringify({ Farm: {}, ...document, Connection: connection })}\n`, 0o600);
  }
}

function stateOf({ Connection: connection }: Document): State {
  const entries = Object.entries(isRecord(connection?.Connections) ? connection.Connections : {});
  return { first: connection?.Default || undefined, stored: new Map(entries.filter(([, { URI }]) => typeof URI === 'string')) };
}

function known(stored: State['stored'], name: string): Stored {
  const found = stored.get(name);
  if (found !== undefined) return found;
  throw new EngineError(
    'INVALID_ARGUMENT',
    `${JSON.stringify(name)} destination is not defined. See "podman system connection add ..." to create a connection`,
  );
}

export interface DestinationWish {
  readonly destination: string;
  readonly identity: string | undefined;
  readonly port: number | undefined;
  readonly socketPath: string | undefined;
  readonly tls: Readonly<Record<'TLSCA' | 'TLSCert' | 'TLSKey', string | undefined>>;
}

/** What is written down for `[user@]host`, `ssh://…`, `tcp://host:port` and `unix:///path`. Throws INVALID_ARGUMENT. */
export function destinationOf({ destination, identity, port, socketPath, tls }: DestinationWish): Stored {
  const url = parsed(destination.includes('://') ? destination : `ssh://${destination}`);
  const scheme = url.protocol.slice(0, -1);
  const refuse = (flag: string): never => {
    throw wrong(`--${flag} option not supported for ${scheme} scheme`);
  };
  const [unused] = Object.entries(tls).find(([, file]) => file !== undefined) ?? [];
  if (scheme !== 'tcp' && unused !== undefined) refuse(`tls-${unused.slice('TLS'.length).toLowerCase()}`);
  const certificates = Object.fromEntries(Object.entries(tls).filter(([, file]) => file !== undefined));
  switch (scheme) {
    case 'ssh': {
      const path = socketPath ?? url.pathname;
      if (path === '' || path === '/')
        throw wrong('the path of the socket is not given, and lichen asks no service for it: use --socket-path or ssh://HOST/PATH');
      const user = url.username === '' ? '' : `${url.username}${url.password === '' ? '' : `:${url.password}`}@`;
      const uri = `ssh://${user}${url.hostname}:${port ?? (url.port || 22)}${path.startsWith('/') ? path : `/${path}`}`;
      return { URI: uri, ...(identity !== undefined && { Identity: identity }) };
    }
    case 'unix':
      if (identity !== undefined) refuse('identity');
      if (!destination.startsWith('unix:///')) throw wrong(`unix scheme requires an absolute path: ${destination}`);
      if (!existsSync(url.pathname)) log.warn(`${JSON.stringify(url.pathname)} does not exist`);
      return { URI: destination };
    case 'tcp': {
      if (identity !== undefined) refuse('identity');
      if (socketPath !== undefined) refuse('socket-path');
      const number = port ?? url.port;
      if (number === '') throw wrong('tcp scheme requires a port either via --port or in destination URL');
      return { URI: `tcp://${url.hostname}:${number}`, ...certificates };
    }
    default:
      throw wrong(`${JSON.stringify(scheme)} is no scheme of a destination: use ssh, tcp or unix`);
  }
}

function parsed(text: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `${JSON.stringify(text)} is not a valid destination`, { cause });
  }
}

function wrong(what: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', what);
}
