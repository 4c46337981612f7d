/**
 * Verbs of containers with several names, with `--all`, `--latest` and filters: what they print, what they leave alone, how they end.
 * Each case finds what those before it have left; stdin is empty.
 */
import type { Case } from './cases.ts';

/** Each takes names, `--all`, `--latest` and `--filter`. */
const VERBS = ['rm', 'stop', 'start', 'restart', 'kill', 'pause', 'unpause', 'init', 'wait'] as const;
const FILTERED = ['rm', 'stop', 'start', 'restart', 'pause', 'unpause'] as const;

export const SEVERAL: readonly Case[] = [
  ...VERBS.flatMap((verb) => [
    of(`${verb}: nothing`, verb),
    of(`${verb}: --latest and a name`, verb, '--latest', 'e-run'),
    of(`${verb}: two unknown`, verb, 'nosuch', 'neither'),
  ]),
  ...VERBS.filter((verb) => verb !== 'wait').flatMap((verb) => [
    of(`${verb}: --all and a name`, verb, '--all', 'e-run'),
    of(`${verb}: --all and --latest`, verb, '--all', '--latest'),
  ]),
  ...FILTERED.flatMap((verb) => [
    of(`${verb}: unknown filter`, verb, '--filter', 'foo=bar'),
    of(`${verb}: filter without value`, verb, '--filter', 'name'),
    of(`${verb}: bad status`, verb, '--filter', 'status=foo'),
    of(`${verb}: filter that nothing passes`, verb, '--filter', 'name=nosuch'),
    of(`${verb}: filter and a name`, verb, '--filter', 'name=e-run', 'e-run'),
  ]),
  of('container prune: unknown filter', 'container', 'prune', '--force', '--filter', 'foo=bar'),
  of('container prune: filter without value', 'container', 'prune', '--force', '--filter', 'label'),
  of('container prune: filter that nothing passes', 'container', 'prune', '--force', '--filter', 'label=nosuch'),
  of('container prune: bad until', 'container', 'prune', '--force', '--filter', 'until=foo'),
  of('container prune: argument', 'container', 'prune', 'x'),

  of('pause: one of two', 'pause', 'e-run', 'e-exit'),
  of('pause: again', 'pause', 'e-run'),
  of('kill: a paused one', 'kill', '--signal', 'WINCH', 'e-run'),
  of('unpause: by filter', 'unpause', '--filter', 'name=e-run'),
  of('pause: --all', 'pause', '--all'),
  of('unpause: --all', 'unpause', '--all'),
  of('unpause: --all with none', 'unpause', '--all'),
  of('kill: one of two', 'kill', '--signal', 'WINCH', 'e-run', 'e-exit'),
  of('kill: unknown of two', 'kill', '--signal', 'WINCH', 'nosuch', 'e-run'),
  of('start: a running one', 'start', 'e-run'),
  of('start: unknown of two', 'start', 'e-run', 'nosuch'),
  of('start: --attach with two', 'start', '--attach', 'e-run', 'e-exit'),
  of('init: one of two', 'init', 'e-created', 'e-run'),
  of('wait: ended ones', 'wait', 'e-exit', 'e-exit'),
  of('wait: unknown of two', 'wait', 'e-exit', 'nosuch'),
  of('wait: unknown of two, ignored', 'wait', '--ignore', 'nosuch', 'e-exit'),
  of('wait: bad condition', 'wait', '--condition', 'foo', 'e-exit'),
  of('wait: bad interval', 'wait', '--interval', 'x', 'e-exit'),
  of('rm: running of two', 'rm', 'e-run', 'e-volu'),
  of('rm: --all with a running one', 'rm', '--all'),
  of('stop: unknown of two', 'stop', '--time', '0', 'nosuch', 'e-run'),
  of('stop: unknown of two, ignored', 'stop', '--time', '0', '--ignore', 'nosuch', 'e-run'),
  of('stop: --all', 'stop', '--time', '0', '--all'),
  of('restart: unknown of two', 'restart', '--time', '0', 'e-run', 'nosuch'),
  of('start: by filter', 'start', '--filter', 'name=e-run'),
  of('restart: --running', 'restart', '--time', '0', '--running'),
  of('stop: by filter', 'stop', '--time', '0', '--filter', 'name=e-run'),
  of('rm: by filter', 'rm', '--filter', 'name=e-run'),
  of('container prune: none', 'container', 'prune', '--force'),
  ...['stop', 'start', 'restart', 'kill', 'pause', 'init', 'rm', 'wait'].map((verb) => of(`${verb}: --latest of none`, verb, '--latest')),
  ...['stop', 'start', 'restart', 'kill', 'pause', 'unpause', 'init', 'rm'].map((verb) => of(`${verb}: --all of none`, verb, '--all')),
];

function of(name: string, ...argv: readonly string[]): Case {
  return { name: `several: ${name}`, argv };
}
