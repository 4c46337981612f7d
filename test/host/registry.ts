/** Debian's docker-registry on loopback, run by the test user: plain http, or https with a throw-away CA and a password. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { RegistryAddress } from '../fixtures/build/push.ts';
import { freePort, type TestHost } from './host.ts';

export const canRunRegistry = existsSync('/usr/bin/docker-registry');

export interface Registry extends RegistryAddress {
  /** `127.0.0.1:5000`, as image references have it. */
  readonly name: string;
  /** Where the CA certificate lies on the host (https only). */
  readonly caFile: string;
}

const CREDENTIALS = { user: 'lichen', password: 'throw-away' };

/** Start one; it ends with the host. Https wants the CA in certs.d or `--cert-dir`; nothing is set up for it here. */
export async function startRegistry(
  host: TestHost,
  options: { readonly secure?: boolean; readonly port?: number } = {},
): Promise<Registry> {
  const { secure = false, port = await freePort() } = options;
  const directory = `/tmp/registry-${port}`;
  await host.writeFile(`${directory}/config.yml`, configuration(directory, port, secure));
  if (secure) await makeSecrets(host, directory);
  const server = host.spawn(['docker-registry', 'serve', `${directory}/config.yml`], { env: { OTEL_TRACES_EXPORTER: 'none' } });
  await server.waitForOutput(/listening on/);
  const name = `127.0.0.1:${port}`;
  const caFile = `${directory}/ca.crt`;
  if (!secure) return { name, url: `http://${name}`, caFile };
  return { name, url: `https://${name}`, caFile, ca: await host.readFile(caFile), credentials: CREDENTIALS };
}

function configuration(directory: string, port: number, secure: boolean): string {
  return `version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: ${directory}/data}, delete: {enabled: true}}
http:
  addr: 127.0.0.1:${port}
${secure ? `  tls: {certificate: ${directory}/server.crt, key: ${directory}/server.key}\nauth: {htpasswd: {realm: test, path: ${directory}/htpasswd}}\n` : ''}`;
}

const OPENSSL = `set -eu; cd "$1"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=test CA' -keyout ca.key -out ca.crt
openssl req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout server.key -out server.csr
printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\\n' > san
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san -out server.crt`;

async function makeSecrets(host: TestHost, directory: string): Promise<void> {
  const { exitCode, stderr } = await host.run(['/bin/sh', '-c', OPENSSL, 'openssl', directory]);
  if (exitCode !== 0) throw new Error(`openssl: ${stderr}`);
  await host.writeFile(`${directory}/htpasswd`, `${CREDENTIALS.user}:${bcrypt(CREDENTIALS.password)}\n`);
}

/** The registry takes nothing but bcrypt; Perl's crypt is in every Debian. */
function bcrypt(password: string): string {
  return execFileSync('perl', ['-e', String.raw`print crypt($ARGV[0], '$2a$04$' . 'abcdefghijklmnopqrstuu')`, password], {
    encoding: 'utf8',
  });
}
