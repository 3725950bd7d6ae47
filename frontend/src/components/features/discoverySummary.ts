/** What one pass over the tokens found, as its job reports it; null where it does not say. */
export interface DiscoverySummary {
  nFeatures: number | null;
  nAlive: number | null;
  nTokens: number | null;
  meanL0: number | null;
  nLabelled: number | null;
  seconds: number | null;
}

/** Read the result of a discovery job, whose fields the API leaves open. */
export function readSummary(
  result: Readonly<Record<string, unknown>> | null | undefined,
): DiscoverySummary {
  const number = (name: string) => {
    const value = result?.[name];
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  };
  return {
    nFeatures: number('n_features'),
    nAlive: number('n_alive'),
    nTokens: number('n_tokens'),
    meanL0: number('mean_l0'),
    nLabelled: number('n_labelled'),
    seconds: number('seconds'),
  };
}

/** Share of the features that fired at least once; null where it was not measured. */
export function firingShare({ nAlive, nFeatures }: DiscoverySummary): number | null {
  return nAlive === null || nFeatures === null || nFeatures === 0 ? null : nAlive / nFeatures;
}
