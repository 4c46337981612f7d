import { cgroups } from './cgroups.ts';
import { networkNamespace, pasta, slirp4netns, tun } from './network.ts';
import type { Probe } from './probe.ts';
import { fuse, overlay } from './storage.ts';

/** What shows only in the session's namespaces, where containers are. */
export const INSIDE: readonly Probe[] = [overlay, fuse, networkNamespace, tun, pasta, slirp4netns, cgroups];
