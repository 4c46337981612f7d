import type { NetworkBackend } from './backend.ts';

/** A namespace that stays as it was made: not connected. Published ports lead nowhere; whoever accepts them tells the user. */
export const none: NetworkBackend = {
  name: 'none',
  setup: async ({ runDir }) => ({ backend: 'none', interfaces: [], nameservers: [], runDir }),
  teardown: async () => undefined,
};
