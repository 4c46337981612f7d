/** `network ls`. */
import { shortId } from '../../../core/id.ts';
import { networkDocument } from '../../../libpod/inspect/network.ts';
import type { NetworkDefinition } from '../../../network/bridge/definition.ts';
import { encodeJson, LOOSE } from '../json.ts';
import type { View } from '../report.ts';
import { GoStruct } from '../template/value.ts';
import { networkData } from './inspect.ts';

export const NETWORK_COLUMNS = ['ID', 'Name', 'Driver'] as const;

const TYPE = 'network.ListPrintReports';

export function networksView(wholeIds: boolean): View<NetworkDefinition> {
  const id = (row: NetworkDefinition) => (wholeIds ? row.id : shortId(row.id));
  return {
    name: 'ls',
    headers: {
      Created: 'CREATED',
      DNSEnabled: 'DNS ENABLED',
      Driver: 'DRIVER',
      ID: 'NETWORK ID',
      IPAMOptions: 'IPAM OPTIONS',
      IPv6Enabled: 'I PV 6 ENABLED',
      Internal: 'INTERNAL',
      Labels: 'LABELS',
      Name: 'NAME',
      NetworkDNSServers: 'NETWORK DNS SERVERS',
      NetworkInterface: 'NETWORK INTERFACE',
      Options: 'OPTIONS',
      Routes: 'ROUTES',
      Subnets: 'SUBNETS',
    },
    cells: { ID: id, Name: (row) => row.name, Driver: (row) => row.driver },
    data: (row) => {
      const network = networkData(networkDocument(row), TYPE);
      return new GoStruct(TYPE, { ...network.fields, Network: network, ID: id(row), Labels: labels(row) }, { json: network.json });
    },
  };
}

/** `network ls --format json`. */
export function networksJson(rows: readonly NetworkDefinition[]): string {
  return `${encodeJson(
    rows.map((row) => networkData(networkDocument(row), TYPE)),
    LOOSE,
  )}\n`;
}

function labels({ labels: all = {} }: NetworkDefinition): string {
  return Object.entries(all)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
