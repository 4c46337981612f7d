import { EngineError } from '../../core/errors.ts';
import { createNetwork } from '../../libpod/network/create.ts';
import { isAddress } from '../../core/address.ts';
import { parseSubnet } from '../../network/bridge/address.ts';
import { parseRange, parseRoute, type SubnetWish } from '../../network/bridge/plan.ts';
import { defineCommand } from '../command.ts';
import { networkCreateFace } from '../faces/network-create.ts';

export const command = defineCommand(networkCreateFace, async (context, [name], flags) => {
  const wish = {
    name: name === '' ? undefined : name,
    labels: pairs(flags.label, 'failed to parse labels'),
    options: pairs(flags.opt, 'unable to parse options'),
    driver: flags.driver,
    routes: flags.route.map(parseRoute),
    subnets: subnets(flags.subnet, flags.gateway, flags['ip-range'], `${context.program} ${context.path}`),
    ipv6: flags.ipv6,
    internal: flags.internal,
    disableDns: flags['disable-dns'],
    dnsServers: flags.dns,
    interfaceName: flags['interface-name'] || undefined,
    ipamDriver: flags['ipam-driver'],
  };
  const network = await createNetwork(await context.openEngine(), wish, { ignore: flags.ignore });
  context.stdout.line(network.name);
});

function pairs(texts: readonly string[], complaint: string): Readonly<Record<string, string>> {
  const entries = texts.map((text): [string, string] => {
    const [, key = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(text) ?? [];
    if (key === '') throw invalid(`${complaint}: invalid label format: ${JSON.stringify(text)}`);
    return [key, value];
  });
  return Object.fromEntries(entries);
}

/** The first gateway and the first range belong to the first subnet, and so on. */
function subnets(texts: readonly string[], gateways: readonly string[], ranges: readonly string[], words: string): SubnetWish[] {
  const wrong = gateways.find((text) => !isAddress(text));
  if (wrong !== undefined) {
    const message = `invalid argument ${JSON.stringify(gateways.join(','))} for "--gateway" flag: invalid string being converted to IP address: ${wrong}`;
    throw new EngineError('USAGE', message, { hint: `See '${words} --help'` });
  }
  if (texts.length === 0 && gateways.length + ranges.length > 0) throw invalid('cannot set gateway or range without subnet');
  if (ranges.length > texts.length) throw invalid('cannot set more ranges than subnets');
  if (gateways.length > texts.length) throw invalid('cannot set more gateways than subnets');
  return texts.map((text, index) => {
    const subnet = parseSubnet(text);
    if (subnet === undefined) throw invalid(`invalid CIDR address: ${text}`);
    return { subnet, gateway: gateways[index], range: ranges[index] === undefined ? undefined : parseRange(ranges[index]) };
  });
}

function invalid(message: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', message);
}
