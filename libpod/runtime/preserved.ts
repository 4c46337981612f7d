/**
 * Descriptors handed on to a process in a container. Runtimes take a count: everything from 3 on stays open, theirs as well, which may lead
 * out of the container (CVE-2024-21626). So nothing is free for theirs: what lies between those asked for is /dev/null.
 */

/** From descriptor 3 on, in the words of a launch. */
export function withoutGaps(fds: readonly number[]): (number | 'ignore')[] {
  return Array.from({ length: countTo(fds) }, (_, index) => (fds.includes(index + 3) ? index + 3 : 'ignore'));
}

export function preserveArgs(fds: readonly number[]): readonly string[] {
  return fds.length === 0 ? [] : ['--preserve-fds', String(countTo(fds))];
}

function countTo(fds: readonly number[]): number {
  return Math.max(2, ...fds) - 2;
}
