/** What holds where neither the command line nor the image says anything: the values of containers.conf(5) that a container depends on. */
import type { Ulimit } from './wish.ts';

export interface Defaults {
  /** [containers] default_capabilities */
  readonly capabilities: readonly string[];
  /** [containers] default_sysctls */
  readonly sysctls: Readonly<Record<string, string>>;
  /** [containers] default_ulimits */
  readonly ulimits: readonly Ulimit[];
  /** [containers] env */
  readonly env: readonly string[];
  /** [containers] http_proxy */
  readonly httpProxy: boolean;
  /** [containers] annotations */
  readonly annotations: Readonly<Record<string, string>>;
  /** [containers] init and init_path */
  readonly init: boolean;
  readonly initPath?: string;
  /** [containers] pids_limit: applied where the controller is there, silently left out where not; -1: none. */
  readonly pidsLimit: number;
  /** [containers] shm_size */
  readonly shmSizeBytes: number;
  /** [containers] umask */
  readonly umask: string;
  /** [containers] tz */
  readonly timezone?: string;
  /** [engine] stop_timeout */
  readonly stopTimeoutSeconds: number;
  /** [containers] log_driver, log_size_max (-1: none), log_tag */
  readonly logDriver: string;
  readonly logMaxSizeBytes: number;
  readonly logTag: string;
  /** [engine] image_volume_mode */
  readonly imageVolumes: 'anonymous' | 'bind' | 'tmpfs' | 'ignore';
  /** [network] default_rootless_network_cmd */
  readonly rootlessNetwork: 'pasta' | 'slirp4netns';
  /** [containers] read_only */
  readonly readOnly: boolean;
}

export const DEFAULTS: Defaults = {
  capabilities: [
    'CAP_CHOWN',
    'CAP_DAC_OVERRIDE',
    'CAP_FOWNER',
    'CAP_FSETID',
    'CAP_KILL',
    'CAP_NET_BIND_SERVICE',
    'CAP_SETFCAP',
    'CAP_SETGID',
    'CAP_SETPCAP',
    'CAP_SETUID',
    'CAP_SYS_CHROOT',
  ],
  sysctls: { 'net.ipv4.ping_group_range': '0 0' },
  ulimits: [],
  env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  httpProxy: true,
  annotations: {},
  init: false,
  pidsLimit: 2048,
  // Podman's `65536k` with its decimal k
  shmSizeBytes: 65_536_000,
  umask: '0022',
  stopTimeoutSeconds: 10,
  logDriver: 'k8s-file',
  logMaxSizeBytes: -1,
  logTag: '',
  imageVolumes: 'anonymous',
  rootlessNetwork: 'pasta',
  readOnly: false,
};
