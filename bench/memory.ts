/** Memory that an engine's own processes hold: proportional set size, so that pages shared between them count once. */
import { readdirSync, readFileSync } from 'node:fs';

const BYTES_PER_KIB = 1024;

export function processIds(): ReadonlySet<string> {
  return new Set(readdirSync('/proc').filter((name) => /^\d+$/.test(name)));
}

/** Bytes held by the user's processes that are new since `before`, without the containers themselves, which run `payload`. */
export function heldByHelpers(before: ReadonlySet<string>, payload: string): number {
  const fresh = [...processIds()].filter((pid) => !before.has(pid) && isOurs(pid) && commandLine(pid) !== payload);
  return fresh.reduce((sum, pid) => sum + heldBytes(pid), 0);
}

/** A network helper has user and pid namespaces of its own, so neither tells it from a container; our uid is kept in both. */
function isOurs(pid: string): boolean {
  return Number(/^Uid:\s*(\d+)/m.exec(readOptional(`/proc/${pid}/status`))?.[1]) === process.getuid!();
}

function commandLine(pid: string): string {
  return readOptional(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

/** pasta makes itself undumpable and its smaps unreadable; its anonymous pages then stand for it, for both engines alike. */
function heldBytes(pid: string): number {
  const pss = /^Pss:\s*(\d+) kB$/m.exec(readOptional(`/proc/${pid}/smaps_rollup`))?.[1];
  const anonymous = /^RssAnon:\s*(\d+) kB$/m.exec(readOptional(`/proc/${pid}/status`))?.[1];
  return Number(pss ?? anonymous ?? 0) * BYTES_PER_KIB;
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
