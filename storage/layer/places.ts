/** What lies in a layer's directory. */
export const TREE = 'diff';
export const RECORD = 'record';
/** Bodies of files that a later entry of the same layer replaced; only there when it happened. */
export const KEPT = 'kept';
export const WORK = 'work';
export const FACTS = 'layer.json';
