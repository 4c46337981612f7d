/** docker-registry on loopback for the rows that pull and push; undefined where it is not installed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../test/host/host.ts';
import { canRunRegistry } from '../test/host/registry.ts';

export async function startBenchRegistry(): Promise<(AsyncDisposable & { readonly name: string }) | undefined> {
  if (!canRunRegistry) return undefined;
  const directory = await mkdtemp(join(tmpdir(), 'lichen-bench-registry-'));
  const name = `127.0.0.1:${await freePort()}`;
  await writeFile(
    join(directory, 'config.yml'),
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${directory}/data}}\nhttp: {addr: ${name}}\n`,
  );
  const server = spawn('docker-registry', ['serve', join(directory, 'config.yml')], {
    stdio: 'ignore',
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  });
  await untilAnswering(`http://${name}/v2/`);
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      server.kill();
      await once(server, 'exit');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function untilAnswering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      await fetch(url);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`no registry at ${url}`);
}
