/** By what a process is known as a container's monitor: its name in /proc/PID/comm. */
export const COMM = 'lichen-monitor';

export function isMonitorName(comm: string): boolean {
  return comm === COMM || comm === 'conmon';
}
