import { readIfThere } from '../../host/if-there.ts';
import { existsSync } from 'node:fs';
import { degraded, ok, type Probe } from './probe.ts';

/** What confines containers beyond namespaces. */
export const security: Probe = {
  name: 'security',
  run: () => {
    const seccomp = /^Seccomp:/m.test(readIfThere('/proc/self/status') ?? '');
    const facts = {
      seccomp,
      apparmor: readIfThere('/sys/module/apparmor/parameters/enabled')?.startsWith('Y') === true,
      selinux: existsSync('/sys/fs/selinux/enforce'),
    };
    const names = Object.entries(facts).filter(([, isOn]) => isOn);
    if (seccomp) return ok(names.map(([name]) => name).join(', '), facts);
    const what = 'the kernel has no seccomp filters';
    return degraded(
      { what, loss: 'containers may use every system call', mend: [{ advice: 'a kernel with CONFIG_SECCOMP_FILTER' }] },
      facts,
    );
  },
};
