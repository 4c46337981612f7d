import { listQuadlets } from '../../libpod/quadlet/installed.ts';
import { defineCommand } from '../command.ts';
import { quadletListFace } from '../faces/quadlet-list.ts';
import { encodeJson, LOOSE } from '../format/json.ts';
import { formatReport, isJsonFormat } from '../format/report.ts';
import { QUADLET_COLUMNS, quadletDocument, QUADLETS } from '../format/views/quadlets.ts';
import { quadletPlace } from '../quadlet/place.ts';

export const command = defineCommand(quadletListFace, async (context, _args, { filter, format }) => {
  const rows = await listQuadlets(quadletPlace(context), filter);
  if (format !== undefined && isJsonFormat(format)) {
    context.stdout.line(encodeJson(rows.map(quadletDocument), LOOSE));
    return;
  }
  const options = { columns: QUADLET_COLUMNS, heading: true, ...(format === undefined ? {} : { format }) };
  context.stdout.write(await formatReport(QUADLETS, rows, options));
});
