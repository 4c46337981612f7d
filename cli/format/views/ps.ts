/** `ps`: its columns, its template fields and its JSON. */
import { humanSize } from '../../../core/size.ts';
import { shortId } from '../../../core/id.ts';
import { humanDuration } from '../../../core/duration.ts';
import type { ContainerSummary, NamespaceInodes } from '../../../libpod/summary.ts';
import { formatAgo, localTime, unixSeconds } from '../human.ts';
import { encodeJson, LOOSE } from '../json.ts';
import { exposedByPort, formatPorts } from '../ports.ts';
import type { View } from '../report.ts';
import { GoStruct } from '../template/value.ts';

export interface PsOptions {
  readonly nowMs: number;
  readonly noTrunc: boolean;
}

/** The columns of a table nobody asked a format for. */
export function psColumns(options: { readonly namespaces?: boolean; readonly size?: boolean; readonly pod?: boolean }): readonly string[] {
  if (options.namespaces) return ['ID', 'Names', 'Pid', 'Cgroup', 'IPC', 'MNT', 'NET', 'PIDNS', 'User', 'UTS'];
  const columns = ['ID', 'Image', 'Command', 'CreatedHuman', 'Status', 'Ports', 'Names'];
  return [...columns, ...(options.pod ? ['Pod', 'PodName'] : []), ...(options.size ? ['Size'] : [])];
}

export function psView(options: PsOptions): View<ContainerSummary> {
  const cells = psCells(options);
  return { name: 'ps', headers: HEADERS, cells, data: (row) => psData(row, cells) };
}

/** `--format json`. Ends with a newline. */
export function psJson(rows: readonly ContainerSummary[], nowMs: number): string {
  const documents = rows.map((row) => {
    const { Created: _created, CreatedAt: _createdAt, Status: _status, ...rest } = document(row);
    const { AutoRemove, Command, ...after } = rest;
    return {
      AutoRemove,
      Command,
      CreatedAt: createdAgo(row, nowMs),
      ...after,
      Status: status(row, nowMs),
      Created: unixSeconds(row.createdAt),
    };
  });
  return `${encodeJson(documents, LOOSE)}\n`;
}

const HEADERS: Readonly<Record<string, string>> = {
  AutoRemove: 'AUTO REMOVE',
  CIDFile: 'CID FILE',
  Cgroup: 'CGROUPNS',
  Command: 'COMMAND',
  Created: 'CREATED',
  CreatedAt: 'CREATED AT',
  CreatedHuman: 'CREATED',
  ExitCode: 'EXIT CODE',
  Exited: 'EXITED',
  ExitedAt: 'EXITED AT',
  ExposedPorts: 'EXPOSED PORTS',
  ID: 'CONTAINER ID',
  IPC: 'IPC',
  Image: 'IMAGE',
  ImageID: 'IMAGE ID',
  IsInfra: 'IS INFRA',
  Labels: 'LABELS',
  MNT: 'MNT',
  Mounts: 'MOUNTS',
  NET: 'NET',
  Names: 'NAMES',
  Namespaces: 'NAMESPACES',
  Networks: 'NETWORKS',
  PIDNS: 'PIDNS',
  Pid: 'PID',
  Pod: 'POD ID',
  PodName: 'PODNAME',
  Ports: 'PORTS',
  Restarts: 'RESTARTS',
  RunningFor: 'RUNNING FOR',
  Size: 'SIZE',
  StartedAt: 'STARTED AT',
  State: 'STATE',
  Status: 'STATUS',
  UTS: 'UTS',
  User: 'USERNS',
};
const COMMAND_WIDTH = 17;

type Cells = Readonly<Record<string, (row: ContainerSummary) => string>>;

function psCells({ nowMs, noTrunc }: PsOptions): Cells {
  const shown = (id: string): string => (noTrunc ? id : shortId(id));
  return {
    ID: (row) => shown(row.id),
    Image: (row) => row.image,
    ImageID: (row) => shown(row.imageId),
    Command: (row) => truncateCommand(row.command.join(' '), noTrunc),
    CreatedHuman: (row) => createdAgo(row, nowMs),
    RunningFor: (row) => createdAgo(row, nowMs),
    Status: (row) => status(row, nowMs),
    Ports: (row) => formatPorts(row.ports, row.exposed),
    Names: (row) => row.names.join(','),
    Networks: (row) => row.networks.join(','),
    Pid: (row) => String(row.pid),
    Pod: (row) => shown(row.pod?.id ?? ''),
    PodName: (row) => row.pod?.name ?? '',
    Size: size,
    Cgroup: (row) => row.namespaces?.cgroup ?? '',
    CGROUPNS: (row) => row.namespaces?.cgroup ?? '',
    IPC: (row) => row.namespaces?.ipc ?? '',
    MNT: (row) => row.namespaces?.mnt ?? '',
    NET: (row) => row.namespaces?.net ?? '',
    PIDNS: (row) => row.namespaces?.pid ?? '',
    User: (row) => row.namespaces?.user ?? '',
    USERNS: (row) => row.namespaces?.user ?? '',
    UTS: (row) => row.namespaces?.uts ?? '',
  };
}

/** Podman's psReporter: the cells as methods, over an embedded ListContainer. */
function psData(row: ContainerSummary, cells: Cells): GoStruct {
  const { Pid: _pid, PodName: _podName, ...methods } = cells;
  const bound = Object.fromEntries(Object.entries(methods).map(([name, cell]) => [name, () => cell(row)]));
  const json = (): unknown => document(row);
  const raw = new GoStruct('entities.ListContainer', () => rawFields(row), { json });
  return new GoStruct(
    'containers.psReporter',
    { ListContainer: raw },
    {
      methods: {
        ...bound,
        Created: () => localTime(row.createdAt),
        CreatedAt: () => localTime(row.createdAt).toString(),
        Label: (name) => (Object.hasOwn(row.labels, name) ? row.labels[name] : ''),
      },
      embedded: ['ListContainer'],
      json,
    },
  );
}

/** ListContainer's document, in the order of its fields. */
function document(row: ContainerSummary): Readonly<Record<string, unknown>> {
  const isLabelled = Object.keys(row.labels).length > 0;
  return {
    AutoRemove: row.autoRemove,
    Command: row.command.length > 0 ? row.command : null,
    Created: localTime(row.createdAt),
    CreatedAt: '',
    CIDFile: row.cidFile,
    Exited: row.state === 'exited',
    ExitedAt: unixSeconds(row.exitedAt),
    ExitCode: row.exitCode,
    ExposedPorts: row.exposed.length > 0 ? exposedByPort(row.exposed) : null,
    Id: row.id,
    Image: row.image,
    ImageID: row.imageId,
    IsInfra: row.isInfra,
    Labels: isLabelled ? new Map(Object.entries(row.labels)) : null,
    Mounts: row.mounts,
    Names: row.names,
    Namespaces: row.namespaces ? namespaceDocument(row.namespaces) : {},
    Networks: row.networks,
    Pid: row.pid,
    Pod: row.pod?.id ?? '',
    PodName: row.pod?.name ?? '',
    Ports: row.ports.length > 0 ? row.ports.map(portDocument) : null,
    Restarts: row.restarts,
    Size: row.size ? { rootFsSize: row.size.rootFsBytes, rwSize: row.size.rwBytes } : null,
    StartedAt: unixSeconds(row.startedAt),
    State: row.state,
    Status: row.health ?? '',
  };
}

/** Where templates see something else than JSON: nil maps are empty, fields left out of JSON are there, and Id is called ID. */
function rawFields(row: ContainerSummary): Readonly<Record<string, unknown>> {
  const { mnt = '', cgroup = '', ipc = '', net = '', pid = '', uts = '', user = '' } = row.namespaces ?? {};
  const fields = {
    ...document(row),
    ExposedPorts: exposedByPort(row.exposed),
    Labels: new Map(Object.entries(row.labels)),
    Namespaces: { MNT: mnt, Cgroup: cgroup, IPC: ipc, NET: net, PIDNS: pid, UTS: uts, User: user },
    ExitedAt: BigInt(unixSeconds(row.exitedAt)),
    StartedAt: BigInt(unixSeconds(row.startedAt)),
    Ports: row.ports.map(portDocument),
  };
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name === 'Id' ? 'ID' : name, value]));
}

function namespaceDocument(inodes: NamespaceInodes): Readonly<Record<string, string>> {
  const { mnt, cgroup, ipc, net, pid, uts, user } = inodes;
  return { Mnt: mnt, Cgroup: cgroup, Ipc: ipc, Net: net, Pidns: pid, Uts: uts, User: user };
}

function portDocument(port: ContainerSummary['ports'][number]): Readonly<Record<string, unknown>> {
  return { host_ip: port.hostIp, container_port: port.containerPort, host_port: port.hostPort, range: port.range, protocol: port.protocol };
}

function truncateCommand(command: string, noTrunc: boolean): string {
  return noTrunc || command.length <= COMMAND_WIDTH ? command : `${command.slice(0, COMMAND_WIDTH)}...`;
}

function createdAgo(row: ContainerSummary, nowMs: number): string {
  return formatAgo(Date.parse(row.createdAt), nowMs);
}

/** Podman keeps start and end in whole seconds, so `Up` may be a second ahead of `Created`. */
function status(row: ContainerSummary, nowMs: number): string {
  const health = row.health === undefined ? '' : ` (${row.health})`;
  return statusWithoutHealth(row, nowMs) + health;
}

function statusWithoutHealth(row: ContainerSummary, nowMs: number): string {
  switch (row.state) {
    case 'running':
      return `Up ${humanDuration(nowMs - unixSeconds(row.startedAt) * 1000)}`;
    case 'exited':
    case 'stopped':
      return `Exited (${row.exitCode}) ${formatAgo(unixSeconds(row.exitedAt) * 1000, nowMs)}`;
    default:
      return row.state.charAt(0).toUpperCase() + row.state.slice(1);
  }
}

function size(row: ContainerSummary): string {
  return row.size ? `${humanSize(row.size.rwBytes)} (virtual ${humanSize(row.size.rootFsBytes)})` : '';
}
