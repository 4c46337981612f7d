import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Blobs } from '../../storage/blobs.ts';
import type { StoredImage } from '../../storage/copy.ts';
import { parsePlatform } from '../../storage/platform.ts';
import { ACCEPT_ANYTHING } from '../../storage/policy.ts';
import { pullImage, type PullRequest } from '../../storage/pull.ts';
import { openCredentials } from '../../storage/registry/credentials.ts';
import { loadRegistriesConf } from '../../storage/registries.ts';
import { makeImage, type MadeImage } from '../fixtures/images/image.ts';
import { serveImage, type Misbehave, type Served } from '../fixtures/images/server.ts';
import { countingSink } from '../fixtures/images/sink.ts';

let root: string;
let image: MadeImage;
let notices: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lichen-mirrors-'));
  image = makeImage(['mirrored']);
  notices = [];
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

async function pull(name: string, options: Partial<PullRequest> = {}): Promise<StoredImage> {
  const env = { HOME: root };
  return pullImage({
    image: name,
    platform: parsePlatform('linux/amd64'),
    registries: await loadRegistriesConf({ config: root, system: join(root, 'system'), cache: join(root, 'cache'), env }),
    layers: countingSink(),
    blobs: new Blobs({ directory: join(root, 'blobs'), staging: join(root, 'tmp') }),
    policy: ACCEPT_ANYTHING,
    credentials: openCredentials({ env }),
    certificates: { config: root, system: [], env },
    retries: 0,
    timeoutMs: 5000,
    pauseMs: 2,
    onEvent: (event) => {
      if (event.kind === 'notice') notices.push(event.text);
    },
    ...options,
  });
}

const asked = ({ requests }: Served): string[] => requests.map(({ url }) => url).filter((url) => url.includes('/manifests/'));
const missing: Misbehave = (request, response) => {
  if (request.url === '/v2/') return false;
  response.writeHead(404).end();
  return true;
};

describe('a registry of registries.conf', () => {
  test('is read through its mirrors in order, each for what it is there for, and the image keeps its own name', async () => {
    await using byDigest = await serveImage(image);
    await using byTag = await serveImage(image, missing);
    await using always = await serveImage(image);
    write(
      'registries.conf',
      `[[registry]]\nprefix = "example.test/team"\nlocation = "127.0.0.1:1/none"
[[registry.mirror]]\nlocation = "${byDigest.host}/copies"\npull-from-mirror = "digest-only"
[[registry.mirror]]\nlocation = "${byTag.host}/copies"\npull-from-mirror = "tag-only"
[[registry.mirror]]\nlocation = "${always.host}/copies"\n`,
    );
    expect((await pull('example.test/team/app')).names).toEqual(['example.test/team/app:latest']);
    expect([byDigest, byTag, always].map(asked)).toEqual([[], ['/v2/copies/app/manifests/latest'], ['/v2/copies/app/manifests/latest']]);
    await pull(`example.test/team/app@${image.manifestDigest}`);
    expect([byDigest, byTag, always].map((served) => asked(served).length)).toEqual([1, 1, 1]);
  });

  test('is looked for where its location says, also by a wildcard, and not at all when blocked', async () => {
    await using served = await serveImage(image);
    write('registries.conf', `[[registry]]\nprefix = "*.corp.test"\nlocation = "${served.host}/all"\n`);
    expect((await pull('a.b.corp.test/team/app')).names).toEqual(['a.b.corp.test/team/app:latest']);
    expect(asked(served)).toEqual(['/v2/all/team/app/manifests/latest']);
    write('registries.conf.d/10-block.conf', `[[registry]]\nprefix = "*.corp.test"\nlocation = "${served.host}"\nblocked = true\n`);
    await expect(pull('a.b.corp.test/team/app')).rejects.toThrow('registry *.corp.test is blocked in');
    write('registries.conf.d/20-open.conf', `[[registry]]\nprefix = "*.corp.test"\nlocation = "${served.host}"\n`);
    await pull('a.b.corp.test/team/app');
    expect(asked(served)).toEqual(['/v2/all/team/app/manifests/latest', '/v2/team/app/manifests/latest']);
  });

  test('gets no credentials that are stored for its mirror, nor the mirror those of the registry (G13)', async () => {
    const wantsPassword: Misbehave = (request, response) => {
      if (request.headers.authorization !== undefined) return false;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return true;
    };
    await using mirror = await serveImage(image, (request, response, served) => {
      if (wantsPassword(request, response, served) === true) return true;
      response.writeHead(403).end();
      return true;
    });
    await using home = await serveImage(image, wantsPassword);
    const auths = { [mirror.host]: { auth: 'bTptaXJyb3I=' }, [home.host]: { auth: 'aDpob21l' } };
    write('.config/containers/auth.json', JSON.stringify({ auths }));
    execFileSync('chmod', ['600', join(root, '.config/containers/auth.json')]);
    write('registries.conf', `[[registry]]\nlocation = "${home.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}"\n`);
    await pull(`${home.host}/team/app`, { credentials: openCredentials({ env: { HOME: root, XDG_RUNTIME_DIR: join(root, 'run') } }) });
    const sent = ({ requests }: Served) => new Set(requests.flatMap(({ headers }) => headers.authorization ?? []));
    expect([sent(mirror), sent(home)]).toEqual([new Set(['Basic bTptaXJyb3I=']), new Set(['Basic aDpob21l'])]);
    // What was typed is for the registry that was named.
    await pull(`${home.host}/team/app`, { credentials: openCredentials({ creds: 'typed:secret', env: { HOME: join(root, 'nobody') } }) });
    const typed = `Basic ${Buffer.from('typed:secret').toString('base64')}`;
    expect([sent(mirror).has(typed), sent(home).has(typed)]).toEqual([false, true]);
  });
});

describe('a short name', () => {
  test('goes to docker.io with a notice when nothing is configured', async () => {
    // Nothing of the test leaves the machine: the registry is elsewhere, by the only rule there is.
    await using served = await serveImage(image);
    write('registries.conf', `[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "${served.host}"\n`);
    expect((await pull('team/app')).names).toEqual(['docker.io/team/app:latest']);
    expect(notices).toEqual([expect.stringContaining('using docker.io: no unqualified-search registries are configured')]);
  });

  test('is tried in every search registry where that is permitted, in order, until one has it', async () => {
    await using first = await serveImage(image, missing);
    await using second = await serveImage(image);
    const search = `unqualified-search-registries = ["${first.host}", "${second.host}"]\n`;
    write('registries.conf', search);
    await expect(pull('team/app')).rejects.toMatchObject({
      code: 'SHORT_NAME_UNRESOLVED',
      message: expect.stringContaining('without a TTY'),
    });
    expect(asked(first)).toEqual([]);
    for (const mode of ['permissive', 'disabled']) {
      write('registries.conf.d/mode.conf', `short-name-mode = "${mode}"\n`);
      expect((await pull('team/app')).names).toEqual([`${second.host}/team/app:latest`]);
    }
    expect([asked(first).length, asked(second).length]).toEqual([2, 2]);
  });

  test('means what an alias says; one recorded by a pull counts more than one configured', async () => {
    await using configured = await serveImage(image);
    await using recorded = await serveImage(image);
    write('registries.conf', `unqualified-search-registries = []\n[aliases]\n"app" = "${configured.host}/team/app"\n`);
    expect((await pull('app')).names).toEqual([`${configured.host}/team/app:latest`]);
    write('cache/short-name-aliases.conf', `[aliases]\n"app" = "${recorded.host}/team/app"\n`);
    expect((await pull('app:latest')).names).toEqual([`${recorded.host}/team/app:latest`]);
    expect(notices.at(-1)).toContain('cache/short-name-aliases.conf');
  });
});

describe('insecure', () => {
  let tls: { key: Buffer; cert: Buffer };
  beforeAll(() => {
    const directory = mkdtempSync(join(tmpdir(), 'lichen-mirrors-tls-'));
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key', '-out', 'cert'];
    execFileSync('openssl', ['req', '-x509', ...key, '-subj', '/CN=x', '-days', '2', '-addext', 'subjectAltName=IP:127.0.0.1'], {
      cwd: directory,
      stdio: 'ignore',
    });
    tls = { key: readFileSync(join(directory, 'key')), cert: readFileSync(join(directory, 'cert')) };
    rmSync(directory, { recursive: true });
  });

  test('holds for the registry or mirror it is written at, and for no other (G13)', async () => {
    await using mirror = await serveImage(image, undefined, tls);
    await using home = await serveImage(image, undefined, tls);
    const conf = (atHome: boolean, atMirror: boolean) =>
      write(
        'registries.conf',
        `[[registry]]\nlocation = "${home.host}"\ninsecure = ${atHome}\n[[registry.mirror]]\nlocation = "${mirror.host}"\ninsecure = ${atMirror}\n`,
      );
    conf(false, false);
    await expect(pull(`${home.host}/team/app`)).rejects.toThrow('certificate');
    expect([mirror.requests.length, home.requests.length]).toEqual([0, 0]);
    conf(true, false);
    await pull(`${home.host}/team/app`);
    expect([asked(mirror).length, asked(home).length]).toEqual([0, 1]);
    conf(false, true);
    await pull(`${home.host}/team/app`);
    expect([asked(mirror).length, asked(home).length]).toEqual([1, 1]);
    await expect(pull(`${home.host}/team/app`, { tlsVerify: true })).rejects.toThrow('certificate');
  });
});
