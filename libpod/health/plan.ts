/** What loop and timer are told: when which checks are due, and how one is run. */
export interface Schedule {
  readonly isStartup: boolean;
  readonly first: number;
  /** Undefined: after the startup checks only when asked. */
  readonly regular: number | undefined;
  readonly check: readonly string[];
}

/** Exit statuses of `healthcheck run --run`, for loop and timer alone; `startup`: startup checks are still going on, `over`: that run has ended. */
export const STATUS = { done: 0, startup: 4, over: 5 } as const;
