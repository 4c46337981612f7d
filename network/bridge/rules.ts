/**
 * Which networks have their rules of the firewall already. They belong to a network, not to its containers, except those for published ports: who comes to
 * a network that has them, or leaves others in it, needs no firewall, which is most of netavark's time (it asks nft four times).
 *
 * `rules.json` beside the shared namespace names the networks that netavark has made whole, and is written after it did; one that was killed is not there.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../host/replace-file.ts';
import type { BridgeLink } from './attachment.ts';

const RULES = 'rules.json';

export function haveRules(directory: string, links: readonly BridgeLink[]): boolean {
  const known = readRules(directory);
  return links.every((link) => known.includes(keyOf(link)));
}

export function noteRules(directory: string, links: readonly BridgeLink[]): void {
  const known = readRules(directory);
  write(directory, [...new Set([...known, ...links.map(keyOf)])]);
}

/** Before they are taken away. */
export function forgetRules(directory: string, links: readonly BridgeLink[]): void {
  const known = readRules(directory);
  const left = known.filter((key) => links.every((link) => keyOf(link) !== key));
  if (left.length < known.length) write(directory, left);
}

/** The default network keeps its id when a configuration gives it other addresses. */
function keyOf({ definition: { id, subnets = [] } }: BridgeLink): string {
  return [id, ...subnets.map(({ subnet }) => subnet)].join(' ');
}

function readRules(directory: string): readonly string[] {
  try {
    return JSON.parse(readFileSync(join(directory, RULES), 'utf8')) as string[];
  } catch {
    return [];
  }
}

function write(directory: string, keys: readonly string[]): void {
  replaceFile(join(directory, RULES), JSON.stringify(keys), 0o600);
}
