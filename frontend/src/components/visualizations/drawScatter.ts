import type { ScatterLayout } from './scatterLayout';

/** Few points are drawn large enough to be hit, many small enough to be told apart. */
function sizeFor(count: number): number {
  if (count < 3_000) return 5;
  return count < 30_000 ? 3 : 2;
}

/** Draws all points at once, colour by colour, sharp on dense screens. */
export function drawScatter(
  canvas: HTMLCanvasElement,
  layout: ScatterLayout,
  colors: readonly string[],
  width: number,
  height: number,
): void {
  const density = window.devicePixelRatio;
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  const context = canvas.getContext('2d');
  if (!context) return;
  context.scale(density, density);
  context.globalAlpha = 0.75;
  const size = sizeFor(layout.shown);
  for (const [color, indices] of byColor(colors)) {
    context.fillStyle = color;
    for (const index of indices) {
      const x = layout.pixelsX[index] ?? NaN;
      if (Number.isNaN(x)) continue;
      context.fillRect(x - size / 2, (layout.pixelsY[index] ?? 0) - size / 2, size, size);
    }
  }
}

/** Changing the colour costs more than drawing a point. */
function byColor(colors: readonly string[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  colors.forEach((color, index) => {
    const group = groups.get(color);
    if (group) group.push(index);
    else groups.set(color, [index]);
  });
  return groups;
}
