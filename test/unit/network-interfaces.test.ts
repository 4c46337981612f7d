import { describe, expect, test } from 'vitest';
import type { PortMapping } from '../../network/backend.ts';
import { parseInterfaces } from '../../network/interfaces.ts';
import { joinPorts } from '../../network/ports.ts';

const ROUTE = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT                                                       
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0                                                                               
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0                                                                               
eth0	0064A8C0	050200C0	0003	0	0	0	00FFFFFF	0	0	0                                                                               
`;
const TRIE = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
           |-- 127.0.0.1
              /32 host LOCAL
           |-- 192.0.2.0
              /24 link UNICAST
           |-- 192.0.2.2
              /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
Local:
           |-- 192.0.2.2
              /32 host LOCAL
`;
const SIX = `fd000000000000000000000000000002 02 40 00 82     eth0
fe800000000000001c56a3fffe0d8fc7 02 40 20 c2     eth0
00000000000000000000000000000001 01 80 10 80       lo
`;
const SIX_ROUTES = `fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`;

describe('interfaces as the kernel tells', () => {
  test('addresses with prefix lengths and default gateways; loopback and link-local left out', () => {
    expect(parseInterfaces([ROUTE, TRIE, SIX, SIX_ROUTES].join('\n'))).toEqual([
      { name: 'eth0', addresses: ['192.0.2.2/24', 'fd00::2/64'], gateways: ['192.0.2.1', 'fd00::1'] },
    ]);
  });

  test('a machine without IPv6', () => {
    expect(parseInterfaces(ROUTE + TRIE)).toEqual([{ name: 'eth0', addresses: ['192.0.2.2/24'], gateways: ['192.0.2.1'] }]);
  });

  test('nothing', () => {
    expect(parseInterfaces('')).toEqual([]);
  });

  test.each([
    ['00000000000000000000000000000001', '::1'],
    ['20010db8000000000001000000000000', '2001:db8:0:0:1::'],
    ['20010db8000100020003000400050006', '2001:db8:1:2:3:4:5:6'],
    ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
  ])('%s is written %s', (hex, text) => {
    expect(parseInterfaces(`${hex} 02 40 00 82     eth0`)[0]!.addresses).toEqual([`${text}/64`]);
  });
});

describe('published ports', () => {
  const port = (hostPort: number, containerPort: number, range = 1, more: Partial<PortMapping> = {}): PortMapping => ({
    hostIp: '',
    hostPort,
    containerPort,
    range,
    protocol: 'tcp',
    ...more,
  });

  test('neighbours become one range', () => {
    expect(joinPorts([port(8001, 81), port(8000, 80), port(8002, 82, 3)])).toEqual([port(8000, 80, 5)]);
  });

  test('the same port twice is one port', () => {
    expect(joinPorts([port(8000, 80), port(8000, 80), port(8000, 80, 2)])).toEqual([port(8000, 80, 2)]);
  });

  test('neighbours that lead elsewhere, other addresses and protocols stay apart', () => {
    const ports = [port(8000, 80), port(8001, 90), port(8000, 80, 1, { hostIp: '127.0.0.1' }), port(8000, 80, 1, { protocol: 'udp' })];
    expect(joinPorts(ports)).toEqual(ports);
  });

  test('one host port cannot lead to two container ports', () => {
    expect(() => joinPorts([port(8000, 80), port(8000, 81)])).toThrow('conflicting port mappings for host port 8000 (protocol tcp)');
    expect(() => joinPorts([port(8000, 80, 10), port(8005, 80)])).toThrow('conflicting port mappings for host port 8005 (protocol tcp)');
  });

  test.each([port(65_535, 80, 2), port(80, 65_535, 2), port(0, 80), port(80, 0), port(80, 80, 0)])('%j is out of range', (wish) => {
    expect(() => joinPorts([wish])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
