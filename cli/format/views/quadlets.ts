/** `quadlet list`. */
import type { InstalledQuadlet } from '../../../libpod/quadlet/installed.ts';
import type { View } from '../report.ts';
import { GoStruct } from '../template/value.ts';

export const QUADLET_COLUMNS = ['Name', 'UnitName', 'Path', 'Status', 'App'] as const;

export function quadletDocument({ name, unitName, path, status, app }: InstalledQuadlet) {
  return { Name: name, UnitName: unitName, Path: path, Status: status, App: app };
}

export const QUADLETS: View<InstalledQuadlet> = {
  name: 'list',
  headers: { Name: 'NAME', UnitName: 'UNIT NAME', Path: 'PATH ON DISK', Status: 'STATUS', App: 'APPLICATION' },
  cells: {
    Name: ({ name }) => name,
    UnitName: ({ unitName }) => unitName,
    Path: ({ path }) => path,
    Status: ({ status }) => status,
    App: ({ app }) => app,
  },
  data: (row) => new GoStruct('entities.ListQuadlet', quadletDocument(row)),
};
