import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const volumeImportFace = defineFace({
  usage: 'VOLUME [SOURCE]',
  summary: 'Put a tar archive into a volume',
  description:
    'Unpack a tar archive, from a file or stdin (-), into a volume that exists. What has the same name is replaced, the rest stays.',
  examples: ['volume import my_vol /home/user/import.tar', 'volume import my_vol - < import.tar'],
  flags: {},
  args: exactly(2),
  complete: ['volume', 'file', 'none'],
});
