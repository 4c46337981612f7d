/**
 * Go's text/template, as far as `--format` can use it.
 * Load this module only when a user gave a template: the default tables need none of it.
 */
import { evaluate } from './evaluator.ts';
import { FUNCTION_NAMES } from './functions.ts';
import { parseTemplate } from './parser.ts';

export interface Template {
  /** Throws INVALID_TEMPLATE. See value.ts for how data is read. */
  readonly render: (data: unknown) => string;
}

/** `name` is what errors call the template. Throws INVALID_TEMPLATE. */
export function compileTemplate(name: string, source: string): Template {
  const tree = parseTemplate(name, source, FUNCTION_NAMES);
  return { render: (data) => evaluate(name, tree, data) };
}
