/**
 * koffi's addon, loaded without its JavaScript wrapper: the wrapper searches nine places for the binary and costs 10 ms a start, this costs 2.
 * The wrapper's exports are the addon's own, so its types hold.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type koffiModule from 'koffi';

export type Koffi = typeof koffiModule;

export const koffi: Koffi = loadAddon();

function loadAddon(): Koffi {
  const holder = { exports: {} as Koffi };
  process.dlopen(holder, addonPath());
  return holder.exports;
}

function addonPath(): string {
  const { arch } = process;
  const libc = isMusl() ? 'musl' : 'linux';
  for (let dir = import.meta.dirname; ; dir = dirname(dir)) {
    const candidate = join(dir, 'node_modules', '@koromix', `koffi-linux-${arch}`, `${libc}_${arch}`, 'koffi.node');
    if (existsSync(candidate)) return candidate;
    if (dir === dirname(dir)) break;
  }
  const require = createRequire(import.meta.url);
  return require.resolve(`@koromix/koffi-linux-${arch}/${libc}_${arch}/koffi.node`);
}

function isMusl(): boolean {
  return (
    existsSync(`/lib/ld-musl-${process.arch === 'x64' ? 'x86_64' : 'aarch64'}.so.1`) &&
    !existsSync('/lib64/ld-linux-x86-64.so.2') &&
    !existsSync('/lib/ld-linux-aarch64.so.1')
  );
}
