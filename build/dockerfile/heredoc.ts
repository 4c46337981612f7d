/** `<<EOF` in RUN, COPY and ADD: texts that follow the instruction. */
import { splitWords } from './words.ts';

export interface Heredoc {
  readonly name: string;
  /** Variables in it are replaced: its name stands without quotes. */
  readonly expand: boolean;
  /** `<<-`: tabs at the beginning of lines are dropped. */
  readonly chomp: boolean;
  readonly content: string;
}

export type HeredocStart = Omit<Heredoc, 'content'> & { readonly at: number };

const START = /^\d*<<(-?)([^<]+)$/;

/** Those that the words of a line begin. */
export function heredocStarts(text: string, escape: string): HeredocStart[] {
  return splitWords(text, escape).flatMap(({ text: word, at }) => {
    const [, dash, quoted = ''] = START.exec(word) ?? [];
    const name = quoted.replaceAll(/["']/g, '').replaceAll(escape, '');
    if (name === '' || /[;&|()`$]/.test(name)) return [];
    return [{ name, expand: name === quoted, chomp: dash === '-', at }];
  });
}

export function isHeredocWord(word: string): boolean {
  return heredocStarts(word, '\\').length === 1;
}
