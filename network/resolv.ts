/** The container's /etc/resolv.conf (resolv.conf(5)). Pure. */

export interface ResolvRequest {
  /** Text of the host's file (readHostResolvConf). */
  readonly host: string;
  /** The container is in the host's network namespace: the host's loopback and link-local nameservers work for it. */
  readonly hostNetwork: boolean;
  /** The namespace has an IPv6 address: IPv6 nameservers can be reached. */
  readonly ipv6: boolean;
  /** Of the attachment: they answer inside the namespace. */
  readonly nameservers: readonly string[];
  /** The networks' own domains: then `nameservers` know the names of containers, pass on all other questions, and nobody else is to be asked. */
  readonly searchDomains?: readonly string[];
  /** `--dns` and configured ones. They replace all others, except servers that pass questions on: those have been told of them. */
  readonly dnsServers: readonly string[];
  /** A single `.` means: no search domains, not even the host's. */
  readonly dnsSearch: readonly string[];
  /** They replace the host's. */
  readonly dnsOptions: readonly string[];
}

/** Where nothing else is left, as Podman and Docker. */
const PUBLIC_NAMESERVERS = ['8.8.8.8', '8.8.4.4'];

/** Text of the file; undefined for `--dns none`: the image's own file stays. */
export function resolvConf(request: ResolvRequest): string | undefined {
  if (request.dnsServers.some((server) => server === 'none')) return undefined;
  const host = parseResolvConf(request.host);
  const { searchDomains = [] } = request;
  const nameservers =
    searchDomains.length > 0
      ? request.nameservers
      : request.dnsServers.length > 0
        ? request.dnsServers
        : [...request.nameservers, ...hostNameservers(host.nameservers, request)];
  const search = (request.dnsSearch.length > 0 ? request.dnsSearch : [...searchDomains, ...host.search]).filter((domain) => domain !== '.');
  const options = request.dnsOptions.length > 0 ? request.dnsOptions : host.options;
  return [
    ...(search.length > 0 ? [`search ${search.join(' ')}\n`] : []),
    ...[...new Set(nameservers)].map((address) => `nameserver ${address}\n`),
    ...(options.length > 0 ? [`options ${options.join(' ')}\n`] : []),
  ].join('');
}

export interface ResolvConf {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** Lines that make no sense are passed over. As glibc reads it: the last `search` or `domain` counts, `options` add up. */
export function parseResolvConf(text: string): ResolvConf {
  const nameservers: string[] = [];
  let search: string[] = [];
  const options: string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (words.length === 0) continue;
    if (keyword === 'nameserver' && isAddress(words[0]!)) nameservers.push(words[0]!);
    else if (keyword === 'search' || keyword === 'domain') search = words.filter(isDomain);
    else if (keyword === 'options') options.push(...words.filter((word) => /^[\w-]+(:\d+)?$/.test(word)));
  }
  return { nameservers, search, options };
}

function hostNameservers(found: readonly string[], { hostNetwork, ipv6, nameservers }: ResolvRequest): readonly string[] {
  if (hostNetwork) return found;
  const reachable = found.filter((address) => !isLocal(address) && (ipv6 || !address.includes(':')));
  return reachable.length > 0 || nameservers.length > 0 ? reachable : PUBLIC_NAMESERVERS;
}

/** Loopback, or link-local with a scope that means nothing in another namespace (some C libraries refuse the whole file for it). */
function isLocal(address: string): boolean {
  return /^(127\.|::1$|0\.0\.0\.0$|::$|::ffff:127\.)/i.test(address) || /^fe[89ab][0-9a-f]:/i.test(address) || address.includes('%');
}

function isAddress(text: string): boolean {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (four) return four.slice(1).every((byte) => Number(byte) <= 255);
  return /^[0-9a-f:.]{2,45}(%[\w.-]{1,15})?$/i.test(text) && URL.canParse(`http://[${text.split('%')[0]}]`);
}

/** 253 bytes is the longest name there is (RFC 1035, 2.3.4). */
function isDomain(text: string): boolean {
  return text.length <= 254 && /^[^\s\p{Cc}]+$/u.test(text);
}
