export const TABS = ['datasets', 'models', 'training', 'features', 'steering'] as const;
export type Tab = (typeof TABS)[number];

/** What `?tab=` may name: the tabs, and the two views behind the header's status. */
export const VIEWS = [...TABS, 'jobs', 'system'] as const;
export type View = (typeof VIEWS)[number];

/** The socket may be away this long before the page polls instead. */
export const AWAY_BEFORE_POLL_MS = 2_000;
export const POLL_INTERVAL_MS = 2_000;
/** While a job runs, silence of this length makes the page ask whether it missed something. */
export const SILENCE_MS = 3_000;
/** Points kept per chart; older ones are thinned, never cut off. */
export const MAX_POINTS = 2_000;

export type Tone = 'emerald' | 'blue' | 'purple' | 'yellow' | 'red' | 'slate';
