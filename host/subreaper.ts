import { bind, check } from './libc.ts';

const PR_SET_CHILD_SUBREAPER = 36;
const prctl = bind('int prctl(int option, ulong value, ulong third, ulong fourth, ulong fifth)');

/** Processes below this one whose parent ends become its children, and it hears how they end (prctl(2)). Throws SYSCALL. */
export function adoptOrphans(isOn: boolean): void {
  check(prctl(PR_SET_CHILD_SUBREAPER, isOn ? 1 : 0, 0, 0, 0), 'prctl', 'PR_SET_CHILD_SUBREAPER');
}
