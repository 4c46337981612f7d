/** Files of ours that a container is shown: they are its root's, as far as it has one. */
import { chownSync, writeFileSync } from 'node:fs';
import type { ContainerConfig } from '../spec/container.ts';
import { outsideRoot } from '../spec/userns.ts';

export function writeShown(path: string, content: string | Buffer, config: Pick<ContainerConfig, 'idMap'>): void {
  writeFileSync(path, content, { mode: 0o644 });
  giveToRoot(path, config);
}

export function giveToRoot(path: string, { idMap }: Pick<ContainerConfig, 'idMap'>): void {
  if (idMap === undefined) return;
  const { uid, gid } = outsideRoot(idMap);
  chownSync(path, uid, gid);
}
