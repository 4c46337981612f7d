import { bridges } from './bridges.ts';
import { kernel } from './kernel.ts';
import { inotify, keyring } from './limits.ts';
import { init, monitor, runtime } from './makes.ts';
import type { Probe } from './probe.ts';
import { utilLinux } from './programs.ts';
import { security } from './security.ts';
import { clock, linger, runDirectory, serviceManager } from './session.ts';
import { database, disk, store } from './store.ts';
import { userNamespace } from './user-namespace.ts';

/** What shows outside of the session's namespaces, where the user is. */
export const OUTSIDE: readonly Probe[] = [
  kernel,
  utilLinux,
  userNamespace,
  runtime,
  monitor,
  init,
  store,
  disk,
  database,
  runDirectory,
  serviceManager,
  linger,
  bridges,
  security,
  inotify,
  keyring,
  clock,
];
