import { describe, expect, test } from 'vitest';
import type { PortMapping } from '../../network/backend.ts';
import { choosesTemplate, copiedInterface, pastaArgs } from '../../network/pasta-args.ts';
import { parseOptions, type HelperOptions } from '../../network/probe.ts';

const OLD_HELP = `Usage: pasta [OPTION]... [COMMAND] [ARGS]...
Failed to send 35 bytes to syslog
  -d, --debug		Be verbose
      --trace		Be extra verbose, implies --debug
  -q, --quiet		Don't print informational messages
  -P, --pid FILE	Write own PID to the given file
  -m, --mtu MTU	Assign MTU via DHCP/NDP
  -a, --address ADDR	Assign IPv4 or IPv6 address ADDR
  -I, --ns-ifname NAME	namespace interface name
  --runas UID|UID:GID 	Run as given UID, GID, which can be
  --dns-forward ADDR	Forward DNS queries sent to ADDR
  --no-map-gw		Don't map gateway address to host
  -4, --ipv4-only	Enable IPv4 operation only
  -t, --tcp-ports SPEC	TCP port forwarding to namespace
        -t 22	Forward local port 22 to port 22 in netns
  -u, --udp-ports SPEC	UDP port forwarding to namespace
  -T, --tcp-ns SPEC	TCP port forwarding to init namespace
  -U, --udp-ns SPEC	UDP port forwarding to init namespace
  --netns PATH|NAME	Target network namespace to join
  --config-net		Configure tap interface in namespace
`;
const OLD = parseOptions(OLD_HELP);
const NEW: HelperOptions = new Map([...OLD, ['--map-guest-addr', true], ['--map-host-loopback', true]]);
const NETNS = '/run/user/1000/netns/netns-1';

const plan = (options: readonly string[], ports: readonly PortMapping[] = [], known = NEW, rootful = false) =>
  pastaArgs({ netns: NETNS, ports, options }, { options: known, rootful, pidFile: '/r/pasta.pid' });
const line = (...args: Parameters<typeof plan>) => plan(...args).args.join(' ');

const web: PortMapping = { hostIp: '', hostPort: 18112, containerPort: 80, range: 1, protocol: 'tcp' };
const dns: PortMapping = { hostIp: '127.0.0.1', hostPort: 18113, containerPort: 53, range: 2, protocol: 'udp' };
const six: PortMapping = { hostIp: '::1', hostPort: 18114, containerPort: 80, range: 1, protocol: 'tcp' };

describe('what a helper understands', () => {
  test('is read from its help, values and short forms included, examples left out', () => {
    expect(Object.fromEntries(OLD)).toMatchObject({
      '--debug': false,
      '-d': false,
      '--pid': true,
      '-P': true,
      '--runas': true,
      '--config-net': false,
    });
    expect(OLD.has('--map-guest-addr')).toBe(false);
  });

  test('is read from the other style of help too', () => {
    const options = parseOptions('-c, --configure          bring up the interface\n--cidr=CIDR  specify\n-e, --exit-fd=FD  the FD\n');
    expect([...options]).toEqual([
      ['-c', false],
      ['--configure', false],
      ['--cidr', true],
      ['-e', true],
      ['--exit-fd', true],
    ]);
  });
});

describe('the command line', () => {
  const tail = `--pid /r/pasta.pid --netns ${NETNS}`;

  test('without ports on a recent pasta', () => {
    expect(line([])).toBe(
      `--config-net --dns-forward 169.254.1.1 -t none -u none -T none -U none --no-map-gw --quiet ${tail} --map-guest-addr 169.254.1.2`,
    );
    expect(plan([])).toMatchObject({ nameservers: ['169.254.1.1'], hostAddresses: ['169.254.1.2'] });
  });

  test('on an old pasta has no --map-guest-addr and no way to the host', () => {
    expect(line([], [], OLD)).toBe(`--config-net --dns-forward 169.254.1.1 -t none -u none -T none -U none --no-map-gw --quiet ${tail}`);
    expect(plan([], [], OLD).hostAddresses).toEqual([]);
  });

  test('publishes ports as ranges, with their address', () => {
    expect(line([], [web, dns, six])).toBe(
      `--config-net -t 18112-18112:80-80 -u 127.0.0.1/18113-18114:53-54 -t ::1/18114-18114:80-80 --dns-forward 169.254.1.1 -T none -U none --no-map-gw --quiet ${tail} --map-guest-addr 169.254.1.2`,
    );
  });

  test('has the user’s options first, and leaves out the defaults they replace', () => {
    expect(line(['-T', '5000', '--udp-ns=53', '--dns-forward', '10.0.0.3', '--map-guest-addr', '10.0.0.9', '--trace'], [web])).toBe(
      `--config-net -T 5000 --udp-ns=53 --dns-forward 10.0.0.3 --map-guest-addr 10.0.0.9 --trace -t 18112-18112:80-80 -u none --no-map-gw ${tail}`,
    );
    expect(plan(['--dns-forward=10.0.0.3'])).toMatchObject({ nameservers: ['10.0.0.3'] });
  });

  test('--map-gw is a word of Podman’s that keeps --no-map-gw away', () => {
    expect(line(['--map-gw'])).not.toContain('map-gw');
  });

  test('keeps root as root: pasta would change to nobody', () => {
    expect(line([], [], OLD, true)).toContain('--runas 0 ');
    expect(line(['--runas', '5'], [], OLD, true)).not.toContain('--runas 0');
  });
});

describe('bad options', () => {
  test.each([
    ['--bogus', "pasta: unrecognized option '--bogus'"],
    ['--netns=/x', "pasta: option '--netns' cannot be given by the user"],
    ['--netns /x', "pasta: option '--netns' cannot be given by the user"],
    ['-P /x', "pasta: option '-P' cannot be given by the user"],
    ['sh', "pasta: 'sh' is not an option"],
    ['-4 sh', "pasta: 'sh' is not an option"],
    ['--', "pasta: unrecognized option '--'"],
    ['-m', "pasta: option '-m' requires an argument"],
  ])('%s: %s', (options, message) => {
    expect(() => plan(options.split(' '))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message }));
  });

  test('a value that looks like an option is a value', () => {
    expect(line(['-a', '-4'])).toContain('-a -4');
  });

  test('sctp cannot be forwarded', () => {
    expect(() => plan([], [{ ...web, protocol: 'sctp' }])).toThrow("can't forward protocol: sctp");
  });
});

describe('the interface pasta makes', () => {
  const eth0 = { name: 'eth0', addresses: ['192.0.2.2/24', 'fd00::2/64'], gateways: ['192.0.2.1', 'fd00::1'] };
  const docker0 = { name: 'docker0', addresses: ['172.17.0.1/16'], gateways: [] };

  test('is a copy of the only one with a default route', () => {
    expect(copiedInterface([docker0, eth0], ['--map-gw'])).toEqual(eth0);
  });

  test.each([
    ['two default routes', [eth0, { ...eth0, name: 'wlan0' }], []],
    ['no default route', [docker0], []],
    ['two addresses of a family', [{ ...eth0, addresses: ['192.0.2.2/24', '192.0.2.3/24'] }], []],
    ['addresses of the user’s own', [eth0], ['-a', '10.0.0.1']],
  ])('is not guessed with %s', (_, host, options) => {
    expect(copiedInterface(host, options)).toBeUndefined();
  });

  test.each(['-4', '-i', '--interface=x', '-I', '--ns-ifname'])('%s is a choice of the user’s', (option) => {
    expect(choosesTemplate([option])).toBe(true);
  });
});
