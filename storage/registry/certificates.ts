/** Which certificates to trust and to show, per registry (containers-certs.d(5)). */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { EngineError } from '../../core/errors.ts';
import type { TlsSettings } from './http.ts';

export interface CertificatePlaces {
  /** `~/.config/containers`, or /etc/containers for root. */
  readonly config: string;
  /** `--cert-dir`: instead of certs.d, for every registry of this command. */
  readonly certDir?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly system?: readonly string[];
}

/** The launcher takes NODE_EXTRA_CA_CERTS away from Node, where it costs 40 ms at every start, and hands it over under this name. */
const EXTRA_CA = 'LICHEN_EXTRA_CA_CERTS';

const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** What to use for `host` (with its port). Throws CONFIG for a client certificate without its key, or an unreadable file. */
export function tlsSettings(host: string, places: CertificatePlaces): Omit<TlsSettings, 'verify'> {
  const directory = places.certDir ?? certificateDirectory(host, places);
  const own = directory === undefined ? { ca: [] } : readDirectory(directory);
  return { ...own, ca: [...trustedByAll(places.env), ...own.ca] };
}

function certificateDirectory(host: string, { config, system }: CertificatePlaces): string | undefined {
  const roots = [config, ...(system ?? ['/etc/containers', '/etc/docker'])];
  return roots.map((root) => join(root, 'certs.d', host)).find((directory) => existsSync(directory));
}

/** The machine's bundle; Node's own list where the machine has none. */
function trustedByAll(env: NodeJS.ProcessEnv): readonly string[] {
  const bundle = [env['SSL_CERT_FILE'], ...SYSTEM_BUNDLES].find((path) => path !== undefined && path !== '' && existsSync(path));
  const roots = bundle === undefined ? getCACertificates('bundled') : [readPem(bundle)];
  const extra = env[EXTRA_CA];
  return extra === undefined || extra === '' || !existsSync(extra) ? roots : [...roots, readPem(extra)];
}

function readDirectory(directory: string): { readonly ca: readonly string[]; readonly cert?: string; readonly key?: string } {
  const names = listNames(directory);
  const ca = names.filter((name) => name.endsWith('.crt')).map((name) => readPem(join(directory, name)));
  const cert = names.find((name) => name.endsWith('.cert'));
  if (cert === undefined) {
    const lonely = names.find((name) => name.endsWith('.key'));
    if (lonely !== undefined) throw unpaired(directory, lonely, 'cert');
    return { ca };
  }
  const key = `${cert.slice(0, -'.cert'.length)}.key`;
  if (!names.includes(key)) throw unpaired(directory, cert, 'key');
  return { ca, cert: readPem(join(directory, cert)), key: readPem(join(directory, key)) };
}

function listNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory).toSorted();
  } catch (cause) {
    throw new EngineError('CONFIG', `reading certificates: ${(cause as Error).message}`, { cause });
  }
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new EngineError('CONFIG', `reading certificate ${path}: ${(cause as Error).message}`, { cause });
  }
}

function unpaired(directory: string, name: string, missing: 'cert' | 'key'): EngineError {
  const stem = name.slice(0, name.lastIndexOf('.'));
  return new EngineError(
    'CONFIG',
    `missing client certificate ${missing} ${join(directory, `${stem}.${missing}`)} for ${join(directory, name)}`,
  );
}
