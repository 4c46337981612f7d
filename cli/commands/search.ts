import { EngineError } from '../../core/errors.ts';
import { registryAccess } from '../../libpod/registry/access.ts';
import { parseSearchFilters, searchImages, searchTags } from '../../libpod/registry/search.ts';
import { defineCommand } from '../command.ts';
import { searchFace } from '../faces/search.ts';
import { formatReport, isJsonFormat } from '../format/report.ts';
import { searchColumns, searchJson, searchView, tagsJson } from '../format/views/search.ts';
import { registryChoice } from '../pulling.ts';

export const command = defineCommand(searchFace, async (context, [term], flags) => {
  const { format } = flags;
  const listTags = flags['list-tags'];
  if (listTags && flags.filter.length > 0) throw new EngineError('INVALID_ARGUMENT', 'filters are not applicable to list tags result');
  const request = { term: term!, limit: flags.limit ?? 0, filters: parseSearchFilters(flags.filter) };
  const access = await registryAccess(context.env, await registryChoice(context, flags));
  const rows = await (listTags ? searchTags(access, request) : searchImages(access, request));
  if (rows.length === 0) return;
  if (format !== undefined && isJsonFormat(format)) context.stdout.write(listTags ? tagsJson(rows) : searchJson(rows));
  else {
    const options = { columns: searchColumns({ listTags, compatible: flags.compatible }), heading: true, ...(format ? { format } : {}) };
    context.stdout.write(await formatReport(searchView({ noTrunc: flags['no-trunc'] }), rows, options));
  }
});
