/** Flags that promise signatures or encryption are refused before anything is done: nothing goes out unsigned or in the clear by mistake. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { canRunContainers, loadedHost } from '../host/loaded.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';

const SIGNING = ['sign-by', 'sign-by-sigstore', 'sign-by-sigstore-private-key', 'sign-by-sq-fingerprint', 'sign-passphrase-file'];
/** No file of that name is there: the flag is the trouble, not its value. */
const VALUE = '/no/such';

describe.skipIf(!canRunContainers || !canRunRegistry)('signing and encryption', () => {
  let host: TestHost;
  let registry: Registry;
  beforeAll(async () => {
    host = await loadedHost(['busybox']);
    registry = await startRegistry(host);
    await host.succeed(['manifest', 'create', 'list', 'busybox']);
    await host.writeFile(`${host.user.home}/file`, 'content');
    await host.succeed(['artifact', 'add', `${registry.name}/team/thing:1`, 'file']);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const refusals: readonly (readonly [string, readonly string[], string])[] = [
    ...SIGNING.flatMap((flag): (readonly [string, readonly string[], string])[] => [
      ['push', ['busybox', 'REGISTRY/team/signed:1'], flag],
      ['manifest push', ['list', 'docker://REGISTRY/team/signed:1'], flag],
      ['artifact push', ['REGISTRY/team/thing:1'], flag],
    ]),
    ['push', ['busybox', 'REGISTRY/team/signed:1'], 'encryption-key'],
    ['pull', ['REGISTRY/team/signed:1'], 'decryption-key'],
    ['artifact pull', ['REGISTRY/team/signed:1'], 'decryption-key'],
  ];

  test.each(refusals)('%s %j --%s', async (command, words, flag) => {
    const argv = words.map((word) => word.replace('REGISTRY', registry.name));
    expect(await host.lichen([...command.split(' '), `--${flag}`, VALUE, '--tls-verify=false', ...argv])).toEqual(
      expect.objectContaining({ stdout: '', stderr: `Error: --${flag} is not supported yet\n`, exitCode: 125 }),
    );
    expect(await repositories(registry)).toEqual([]);
  });

  test('the same push without them goes out', async () => {
    await host.succeed(['push', '--quiet', '--tls-verify=false', 'busybox', `${registry.name}/team/signed:1`]);
    expect(await repositories(registry)).toEqual(['team/signed']);
  });
});

async function repositories({ url }: Registry): Promise<readonly string[]> {
  const answer = (await (await fetch(`${url}/v2/_catalog`)).json()) as { readonly repositories: readonly string[] };
  return answer.repositories;
}
