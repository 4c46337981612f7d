/** What the instructions of a Dockerfile mean, before variables are replaced. `raw` words have their quotes and variables still. */
import type { Healthcheck } from '../../storage/image.ts';
import type { Heredoc } from './heredoc.ts';
import type { Instruction } from './scan.ts';

export type Statement = { readonly at: Instruction } & (
  | FromStatement
  | ArgStatement
  | PairsStatement
  | RunStatement
  | TransferStatement
  | CommandStatement
  | WordStatement
  | { readonly kind: 'expose' | 'volume'; readonly raws: readonly string[]; readonly literal: boolean }
  | { readonly kind: 'shell'; readonly words: readonly string[] }
  | { readonly kind: 'maintainer'; readonly text: string }
  | { readonly kind: 'onbuild'; readonly text: string }
  | { readonly kind: 'healthcheck'; readonly check: Healthcheck }
);

export type StatementOf<K extends Statement['kind']> = Extract<Statement, { readonly kind: K }>;

export interface FromStatement {
  readonly kind: 'from';
  readonly raw: string;
  readonly rawPlatform?: string | undefined;
  /** In lower case. */
  readonly stageName?: string | undefined;
}

export interface ArgStatement {
  readonly kind: 'arg';
  readonly args: readonly { readonly name: string; readonly raw?: string | undefined }[];
}

export interface PairsStatement {
  readonly kind: 'env' | 'label';
  readonly pairs: readonly RawPair[];
}

export interface RawPair {
  readonly rawName: string;
  readonly raw: string;
}

export interface RunStatement {
  readonly kind: 'run';
  readonly command: Command;
  readonly heredocs: readonly Heredoc[];
  readonly rawMounts: readonly string[];
  readonly rawNetwork?: string | undefined;
  readonly rawSecurity?: string | undefined;
}

/** `argv` where it was written as an array, else a line for the shell. */
export type Command = { readonly argv: readonly string[] } | { readonly line: string };

export interface TransferStatement {
  readonly kind: 'copy' | 'add';
  readonly rawSources: readonly string[];
  /** Sources that stand in the Dockerfile itself. */
  readonly heredocs: readonly Heredoc[];
  readonly rawDestination: string;
  /** The words are those of an array: taken without their quotes. */
  readonly literal: boolean;
  readonly rawFrom?: string | undefined;
  readonly rawChown?: string | undefined;
  readonly rawChmod?: string | undefined;
  readonly rawExcludes: readonly string[];
  readonly rawChecksum?: string | undefined;
  readonly link: boolean;
  readonly parents: boolean;
  readonly keepGitDir: boolean;
  /** ADD's `--unpack`; absent: archives of this machine only. */
  readonly unpack?: boolean | undefined;
}

export interface CommandStatement {
  readonly kind: 'cmd' | 'entrypoint';
  readonly command: Command;
}

export interface WordStatement {
  readonly kind: 'user' | 'workdir' | 'stopsignal';
  readonly raw: string;
}
