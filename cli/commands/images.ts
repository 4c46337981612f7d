import { EngineError } from '../../core/errors.ts';
import { listImages } from '../../libpod/image/list.ts';
import { defineCommand } from '../command.ts';
import { imagesFace } from '../faces/images.ts';
import { formatReport, isJsonFormat } from '../format/report.ts';
import { imageColumns, imageIds, imageRows, imagesJson, imagesView, type ImageSort } from '../format/views/images.ts';

export const command = defineCommand(imagesFace, async (context, [name], flags) => {
  if (name !== undefined && flags.filter.length > 0) throw new EngineError('INVALID_ARGUMENT', 'cannot specify an image and a filter(s)');
  const engine = await context.openEngine();
  const filters = name === undefined ? flags.filter : [...flags.filter, `reference=${name}`];
  const rows = imageRows(await listImages(engine, { filters, all: flags.all }), flags.sort as ImageSort);
  const { format } = flags;
  const noTrunc = flags['no-trunc'];
  if (format !== undefined && isJsonFormat(format)) context.stdout.write(imagesJson(rows));
  else if (flags.quiet) context.stdout.write(imageIds(rows, noTrunc));
  else {
    const columns = imageColumns({ digests: flags.digests, history: flags.history });
    const options = { columns, heading: !flags.noheading, ...(format ? { format } : {}) };
    context.stdout.write(await formatReport(imagesView({ nowMs: Date.now(), noTrunc }), rows, options));
  }
});
