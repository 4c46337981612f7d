/** Resource limits of this process as its children inherit them (getrlimit(2)). */
import { readFileSync } from 'node:fs';

const ROWS: Readonly<Record<string, string>> = {
  'Max cpu time': 'cpu',
  'Max file size': 'fsize',
  'Max data size': 'data',
  'Max stack size': 'stack',
  'Max core file size': 'core',
  'Max resident set': 'rss',
  'Max processes': 'nproc',
  'Max open files': 'nofile',
  'Max locked memory': 'memlock',
  'Max address space': 'as',
  'Max file locks': 'locks',
  'Max pending signals': 'sigpending',
  'Max msgqueue size': 'msgqueue',
  'Max nice priority': 'nice',
  'Max realtime priority': 'rtprio',
  'Max realtime timeout': 'rttime',
};

export interface Rlimit {
  readonly soft: number;
  readonly hard: number;
}

/** By lower-case name without RLIMIT_; -1 means unlimited. Node has raised the soft limit of `nofile` to the hard one. */
export function hostRlimits(): Readonly<Record<string, Rlimit>> {
  const limits: Record<string, Rlimit> = {};
  for (const line of readFileSync('/proc/self/limits', 'latin1').split('\n')) {
    const match = /^(.+?)\s{2,}(\S+)\s+(\S+)/.exec(line);
    const name = match && ROWS[match[1]!];
    if (match && name) limits[name] = { soft: number(match[2]!), hard: number(match[3]!) };
  }
  return limits;
}

function number(text: string): number {
  return text === 'unlimited' ? -1 : Number(text);
}
