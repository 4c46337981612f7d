import type { Resources } from './wish.ts';

const CPU_PERIOD_MICROS = 100_000;

/** `--cpus` as the quota of a period, both in microseconds. */
export function cpuTime(asked: Resources): { readonly quota?: number; readonly period?: number } {
  if (asked.cpus !== undefined && asked.cpus > 0) return { quota: Math.round(asked.cpus * CPU_PERIOD_MICROS), period: CPU_PERIOD_MICROS };
  return {
    ...(asked.cpuQuotaMicros !== undefined && { quota: asked.cpuQuotaMicros }),
    ...(asked.cpuPeriodMicros !== undefined && { period: asked.cpuPeriodMicros }),
  };
}
