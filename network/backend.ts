/**
 * How a container reaches the network. A backend prepares a network namespace; it knows ports and addresses, no container.
 * Bridges have a face of their own (bridge/bridge.ts): a namespace can be in several networks, and join and leave them while it is in use.
 * Makes: pasta, slirp4netns (user-mode, one process per namespace), none (the namespace stays unconnected).
 * `host`, `container:ID` and `ns:PATH` need no backend: the namespace exists already.
 */
import type { BridgeAttachment } from './bridge/attachment.ts';
import type { BegunNetwork } from './early.ts';

export interface NetworkBackend {
  readonly name: string;
  /**
   * Make a network namespace, kept alive by a bind mount at `netns` (host/namespaces.ts), connect it and publish ports.
   * Resolves when interface, addresses, routes and listeners are ready. On failure nothing is left running; the namespace may be there.
   * Throws HELPER_MISSING, NETWORK_SETUP (port taken, privileged port; the helper's own words are in the message), INVALID_ARGUMENT (bad options).
   */
  setup(request: NetworkRequest): Promise<NetworkAttachment>;
  /**
   * End what setup started; published ports are free when it resolves. Idempotent; a helper already gone is fine.
   * `attachment` is what setup returned (kept as JSON).
   */
  teardown(attachment: NetworkAttachment): Promise<void>;
}

export interface NetworkRequest {
  /** Absolute path for the network namespace. Nothing is there yet, but for what is `begun`, or a namespace whose helper has died. */
  readonly netns: string;
  /** For file names and messages only. */
  readonly id: string;
  /** A private directory that lives as long as the attachment, for API sockets and pid files. */
  readonly runDir: string;
  readonly ports: readonly PortMapping[];
  /** What followed the colon of `--network pasta:a,b`, split at commas, plus the configured defaults. */
  readonly options: readonly string[];
  /**
   * The read end of a pipe; the helper ends when the last write end is closed (slirp4netns `--exit-fd`). The monitor inherits a write end,
   * so the helper dies with it. The caller closes its own copies. Backends that watch the namespace instead (pasta) leave it alone.
   */
  readonly exitFd?: number;
  /** At `netns`, by the launcher: only pasta has any use for it. */
  readonly begun?: BegunNetwork | undefined;
  /** Nothing in it was asked for but ports: without any the next network may be like this one, and may be begun early. */
  readonly usual?: boolean;
  /** TCP ports are not among `ports`: somebody else forwards them. */
  readonly portsBeside?: boolean;
}

/** JSON-serialisable: it is stored with the container and handed back to teardown and inspect. */
export interface NetworkAttachment {
  readonly backend: string;
  /** Helper process, where one lives on: identified by pid and start time (clock ticks since boot, proc(5) stat field 22). */
  readonly helper?: { readonly pid: number; readonly startTime: number };
  /** The helper listens on ports of the host: teardown waits until they are free. */
  readonly holdsPorts?: boolean;
  /** A process of its own that listens on ports of the host, as well as the helper or in its place. */
  readonly forwarder?: Forwarder;
  readonly interfaces: readonly NetworkInterface[];
  /** Of bridges: what was asked of netavark, and is to be undone. The addresses in `interfaces` are taken from the moment this is on record. */
  readonly bridge?: BridgeAttachment;
  /** Domains in which names of containers are looked up. */
  readonly searchDomains?: readonly string[];
  /** Nameservers inside the namespace, best first; empty means: those of the host. */
  readonly nameservers: readonly string[];
  /** Addresses of the host that are somebody else's inside: they do not lead to the host. */
  readonly hiddenAddresses?: readonly string[];
  /** Address at which the container reaches the host, for host.containers.internal; absent where there is none. */
  readonly hostAddress?: string;
  readonly runDir: string;
}

export interface Forwarder {
  /** Of its program. */
  readonly name: string;
  readonly helper: { readonly pid: number; readonly startTime: number };
}

export interface NetworkInterface {
  readonly name: string;
  /** The network it leads to, where that has a name. */
  readonly network?: string;
  readonly mac?: string;
  /** CIDR notation. */
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
}

/** One published range, as Podman keeps it: `range` consecutive ports from each of the two. */
export interface PortMapping {
  /** Empty string: all addresses. */
  readonly hostIp: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly range: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
}
