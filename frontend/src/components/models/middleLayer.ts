/** Where features of meaning are usually found: half-way up, counted from 0. */
export function middleLayer(count: number): number {
  return Math.max(0, Math.floor((count - 1) / 2));
}
