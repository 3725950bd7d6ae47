import { navigate } from '@/utils/urlState';

/** Side by side there is room for four. */
export const MAX_COMPARED = 4;

/** The ids in an address, such as `7.8`; what is no id is left out. */
export function readTray(text: string | null): number[] {
  const ids = (text ?? '').split('.').map(Number);
  return [...new Set(ids.filter((id) => Number.isInteger(id) && id > 0))].slice(0, MAX_COMPARED);
}

export function writeTray(ids: readonly number[]): string | null {
  return ids.length > 0 ? ids.join('.') : null;
}

/** Adds a feature, or takes it out when it is there; above the limit the oldest goes. */
export function toggled(ids: readonly number[], id: number): number[] {
  if (ids.includes(id)) return ids.filter((other) => other !== id);
  return [...ids, id].slice(-MAX_COMPARED);
}

/** Changes the tray of the address. */
export function toggleCompared(id: number): void {
  const ids = readTray(new URLSearchParams(window.location.search).get('compare'));
  navigate({ compare: writeTray(toggled(ids, id)) }, 'replace');
}
