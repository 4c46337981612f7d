/** `--log-opt tag=TEMPLATE` */
import { formatOne } from './report.ts';
import { tagData } from './views/inspect.ts';

/** Throws INVALID_TEMPLATE. */
export async function expandTag(template: string, document: object): Promise<string> {
  return (await formatOne('container', template, tagData(document))).replace(/\n$/, '');
}
