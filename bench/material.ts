/** What the machine outside made for the rows; absent things make their rows fail with a reason. */
export interface Material {
  readonly small: string;
  readonly largeDocker?: string;
  readonly largeOci?: string;
  /** `127.0.0.1:PORT/large:latest` */
  readonly pullReference?: string;
  /** A tar, and a repository of packages for it. */
  readonly debianRoot?: string;
  readonly debianRepository?: string;
}

export function needed(value: string | undefined, what: string): string {
  if (value === undefined) throw new Error(`needs ${what}`);
  return value;
}
