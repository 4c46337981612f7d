/** `pod ps`: its columns, its template fields and its JSON. */
import { shortId } from '../../../core/id.ts';
import type { PodMember, PodSummary } from '../../../libpod/summary.ts';
import { formatAgo } from '../human.ts';
import { encodeJson, LOOSE } from '../json.ts';
import type { View } from '../report.ts';
import { GoStruct } from '../template/value.ts';

export interface PodsOptions {
  readonly nowMs: number;
  readonly noTrunc: boolean;
}

export interface PodColumns {
  readonly ids: boolean;
  readonly names: boolean;
  readonly statuses: boolean;
  readonly namespaces: boolean;
}

/** The columns of a table nobody asked a format for. */
export function podColumns({ ids, names, statuses, namespaces }: PodColumns): readonly string[] {
  return [
    'Id',
    'Name',
    'Status',
    'Created',
    'InfraID',
    ...(namespaces ? ['Cgroup', 'Namespace'] : []),
    ...(ids ? ['ContainerIds'] : []),
    ...(names ? ['ContainerNames'] : []),
    ...(statuses ? ['ContainerStatuses'] : []),
    ...(ids || names || statuses ? [] : ['NumberOfContainers']),
  ];
}

export function podsView(options: PodsOptions): View<PodSummary> {
  const cells = podCells(options);
  return { name: 'ps', headers: HEADERS, cells, data: (row) => podData(row, cells) };
}

/** `--format json`. Ends with a newline. */
export function podsJson(rows: readonly PodSummary[]): string {
  return `${encodeJson(rows.map(document), LOOSE)}\n`;
}

const HEADERS: Readonly<Record<string, string>> = {
  Cgroup: 'CGROUP',
  ContainerIds: 'IDS',
  ContainerNames: 'NAMES',
  ContainerStatuses: 'STATUS',
  Containers: 'CONTAINERS',
  Created: 'CREATED',
  Id: 'POD ID',
  InfraID: 'INFRA ID',
  Labels: 'LABELS',
  ListPodsReport: 'LIST PODS REPORT',
  Name: 'NAME',
  Namespace: 'NAMESPACES',
  NumberOfContainers: '# OF CONTAINERS',
  Restarts: 'RESTARTS',
  Status: 'STATUS',
};

type Cells = Readonly<Record<string, (row: PodSummary) => string>>;

function podCells({ nowMs, noTrunc }: PodsOptions): Cells {
  const shown = (id: string): string => (noTrunc ? id : shortId(id));
  const each = (tell: (member: PodMember) => string) => (row: PodSummary) => sortedById(row.containers).map(tell).join(',');
  return {
    Id: (row) => shown(row.id),
    ID: (row) => shown(row.id),
    Name: (row) => row.name,
    Status: (row) => row.status,
    Created: (row) => formatAgo(Date.parse(row.createdAt), nowMs),
    InfraID: (row) => shown(row.infraId),
    InfraId: (row) => shown(row.infraId),
    Cgroup: (row) => row.cgroup,
    Namespace: () => '',
    Networks: (row) => row.networks.join(','),
    NumberOfContainers: (row) => String(row.containers.length),
    Restarts: (row) => String(row.containers.reduce((sum, { restarts }) => sum + restarts, 0)),
    ContainerIds: each(({ id }) => shown(id)),
    ContainerNames: each(({ name }) => name),
    ContainerStatuses: each(({ state }) => state),
  };
}

function sortedById(members: readonly PodMember[]): readonly PodMember[] {
  return members.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** Podman's ListPodReporter: the cells as methods, over an embedded ListPodsReport. */
function podData(row: PodSummary, cells: Cells): GoStruct {
  const { Name: _name, Namespace: _namespace, Cgroup: _cgroup, ...methods } = cells;
  const bound = Object.fromEntries(Object.entries(methods).map(([name, cell]) => [name, () => cell(row)]));
  const json = (): unknown => document(row);
  const report = new GoStruct('entities.ListPodsReport', () => ({ ...document(row), Labels: new Map(Object.entries(row.labels)) }), {
    json,
  });
  return new GoStruct(
    'pods.ListPodReporter',
    { ListPodsReport: report },
    {
      methods: {
        ...bound,
        Labels: () => new Map(Object.entries(row.labels)),
        Label: (name) => (Object.hasOwn(row.labels, name) ? row.labels[name] : ''),
      },
      embedded: ['ListPodsReport'],
      json,
    },
  );
}

/** ListPodsReport's document, in the order of its fields. */
function document(row: PodSummary): Readonly<Record<string, unknown>> {
  return {
    Cgroup: row.cgroup,
    Containers: row.containers.map(({ id, name, state, restarts }) => ({ Id: id, Names: name, Status: state, RestartCount: restarts })),
    Created: row.createdAt,
    Id: row.id,
    InfraId: row.infraId,
    Name: row.name,
    Namespace: '',
    Networks: row.networks,
    Status: row.status,
    Labels: new Map(Object.entries(row.labels)),
  };
}
