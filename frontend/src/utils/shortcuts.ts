import type { View } from './constants';

export interface Shortcut {
  /** As `KeyboardEvent.key` names them; two keys after each other are separated by a space. */
  keys: readonly string[];
  what: string;
}

export interface ShortcutGroup {
  title: string;
  shortcuts: readonly Shortcut[];
}

/** Second key after `g`, and where it goes. */
export const GO_KEYS: Readonly<Record<string, View>> = {
  d: 'datasets',
  m: 'models',
  t: 'training',
  f: 'features',
  s: 'steering',
  j: 'jobs',
  y: 'system',
};

/** The keyboard contract, as `?` shows it. */
export const SHORTCUTS: readonly ShortcutGroup[] = [
  {
    title: 'Anywhere',
    shortcuts: [
      { keys: ['?'], what: 'This list' },
      { keys: ['Ctrl K'], what: 'Go to anything' },
      ...Object.entries(GO_KEYS).map(([key, view]) => ({
        keys: [`g ${key}`],
        what: `Go to ${view.charAt(0).toUpperCase()}${view.slice(1)}`,
      })),
      { keys: ['Esc'], what: 'Close, or leave a field' },
    ],
  },
  {
    title: 'Feature table',
    shortcuts: [
      { keys: ['/'], what: 'Search' },
      { keys: ['j', 'k'], what: 'Next, previous row' },
      { keys: ['Home', 'End'], what: 'First, last row' },
      { keys: ['Enter'], what: 'Open the row' },
      { keys: ['x'], what: 'Choose the row among others' },
      { keys: ['f'], what: 'Favourite' },
      { keys: ['c'], what: 'Add to the compare tray' },
      { keys: ['s'], what: 'Steer with it' },
      { keys: ['t'], what: 'Try your own text' },
    ],
  },
  {
    title: 'Open feature',
    shortcuts: [
      { keys: [']', 'j'], what: 'Next feature' },
      { keys: ['[', 'k'], what: 'Previous feature' },
      { keys: ['e'], what: 'Edit the label' },
      { keys: ['t'], what: 'Try your own text' },
      { keys: ['f'], what: 'Favourite' },
      { keys: ['c'], what: 'Add to the compare tray' },
      { keys: ['s'], what: 'Steer with it' },
      { keys: ['←', '→'], what: 'Move among the tokens of a focused text' },
    ],
  },
  {
    title: 'Texts',
    shortcuts: [{ keys: ['Ctrl Enter'], what: 'Generate from the prompt, or run the probe sheet' }],
  },
];
