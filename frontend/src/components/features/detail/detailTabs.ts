/** The tabs of the open feature, as the address names them. */
export const DETAIL_TABS = [
  { id: 'examples', label: 'Examples' },
  { id: 'lens', label: 'Logit Lens' },
  { id: 'correlations', label: 'Correlations' },
  { id: 'neighbours', label: 'Neighbours' },
  { id: 'ablation', label: 'Ablation' },
  { id: 'text', label: 'Your Text' },
  { id: 'statistics', label: 'Statistics' },
  { id: 'history', label: 'History' },
] as const;

export type DetailTab = (typeof DETAIL_TABS)[number]['id'];

/** The tab of an address; the examples where it names none. */
export function readTab(text: string | null): DetailTab {
  return DETAIL_TABS.find(({ id }) => id === text)?.id ?? 'examples';
}
