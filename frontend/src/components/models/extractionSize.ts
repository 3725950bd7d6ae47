const BYTES: Record<string, number> = { float32: 4, float16: 2, bfloat16: 2, int8: 1 + 2 / 32 };

interface StoreSize {
  nTokens: number | null;
  width: number | null;
  hookPoints: number;
  dtype: unknown;
}

/** Bytes of an activation store: tokens × width × hook points; null while a part is unknown. */
export function storeBytes({ nTokens, width, hookPoints, dtype }: StoreSize): number | null {
  const size = typeof dtype === 'string' ? BYTES[dtype] : undefined;
  if (nTokens === null || width === null || size === undefined || hookPoints === 0) return null;
  return nTokens * width * hookPoints * size;
}

/** Where features of meaning are usually found: half-way up, counted from 0. */
export function middleLayer(count: number): number {
  return Math.max(0, Math.floor((count - 1) / 2));
}
