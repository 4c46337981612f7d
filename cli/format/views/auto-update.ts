import { shortId } from '../../../core/id.ts';
import type { AutoUpdateReport } from '../../../libpod/autoupdate/run.ts';
import { encodeJson, FOUR_SPACES } from '../json.ts';
import type { View } from '../report.ts';
import { GoStruct } from '../template/value.ts';

export const AUTO_UPDATE_COLUMNS = ['Unit', 'Container', 'Image', 'Policy', 'Updated'] as const;

export const AUTO_UPDATE_VIEW: View<AutoUpdateReport> = {
  name: 'auto-update',
  headers: {
    Unit: 'UNIT',
    Container: 'CONTAINER',
    ContainerName: 'CONTAINER NAME',
    ContainerID: 'CONTAINER ID',
    Image: 'IMAGE',
    Policy: 'POLICY',
    Updated: 'UPDATED',
  },
  cells: Object.fromEntries(AUTO_UPDATE_COLUMNS.map((column) => [column, (row) => fields(row)[column]])),
  data: (row) => new GoStruct('main.autoUpdateOutput', fields(row)),
};

export function autoUpdateJson(rows: readonly AutoUpdateReport[]): string {
  return `${encodeJson(rows.map(fields), FOUR_SPACES)}\n`;
}

function fields(row: AutoUpdateReport) {
  return {
    Unit: row.unit,
    Container: `${shortId(row.containerId)} (${row.containerName})`,
    ContainerName: row.containerName,
    ContainerID: row.containerId,
    Image: row.imageName,
    Policy: row.policy,
    Updated: row.updated,
  };
}
