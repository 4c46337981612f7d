declare const idBrand: unique symbol;
/** 64 lower-case hex characters. */
type Id<Kind extends string> = string & { readonly [idBrand]: Kind };

export type ContainerId = Id<'container'>;
export type ExecId = Id<'exec'>;
export type PodId = Id<'pod'>;
/** The hex of the sha256 of the image's config document, as Podman and Docker count image ids. */
export type ImageId = Id<'image'>;

const FULL_ID = /^[0-9a-f]{64}$/;

export function isFullId(text: string): boolean {
  return FULL_ID.test(text);
}

/** For ids that come from our own database or from random bytes; a wrong one is a bug, hence a plain Error. */
export function asId<T extends Id<string>>(text: string): T {
  if (!FULL_ID.test(text)) throw new Error(`not an id: ${text}`);
  return text as T;
}

/** The 12 characters shown in tables. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}
