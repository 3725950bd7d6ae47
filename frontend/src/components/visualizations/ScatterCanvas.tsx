import { type PointerEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { ChartAxes } from './ChartAxes';
import { ChartEmpty } from './ChartEmpty';
import type { AxisKind } from './chartScales';
import { drawScatter } from './drawScatter';
import type { Margins } from './lineChartLayout';
import { type Area, areaBetween, type Column, layoutScatter, pointNear } from './scatterLayout';
import { useElementWidth } from './useElementWidth';

type Corner = readonly [number, number];

interface ScatterCanvasProps {
  /** Says what is shown to readers who do not see it. */
  label: string;
  xs: Column;
  ys: Column;
  /** Decides the colour of each point; -1 for none. */
  groups: ArrayLike<number>;
  kind: AxisKind;
  xLabel?: string;
  yLabel?: string;
  height: number;
  zoom: Area | null;
  /** What stands beside the point under the pointer. */
  describe: (index: number) => ReactNode;
  onOpen: (index: number) => void;
  /** A rectangle was drawn around points. */
  onArea: (area: Area) => void;
}

const MARGINS: Margins = { top: 12, right: 16, bottom: 40, left: 64 };
/** A shorter way of the pointer is a click. */
const DRAG_PIXELS = 5;

/** Many points on a canvas: hovering tells one, a click opens it, dragging chooses an area. */
export function ScatterCanvas(props: ScatterCanvasProps) {
  const { xs, ys, groups, kind, height, zoom, describe, onOpen, onArea } = props;
  const { ref, width } = useElementWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hovered, setHovered] = useState(-1);
  const [drag, setDrag] = useState<{ from: Corner; to: Corner } | null>(null);
  const layout = useMemo(
    () => layoutScatter(xs, ys, { width, height, margins: MARGINS, kind, zoom }),
    [xs, ys, width, height, kind, zoom],
  );
  useEffect(() => {
    if (canvas.current && layout) drawScatter(canvas.current, layout, groups, width, height);
  }, [layout, groups, width, height]);
  if (!layout) {
    return (
      <div ref={ref}>
        <ChartEmpty height={height} message="Nothing was laid out" />
      </div>
    );
  }

  const at = (event: PointerEvent): Corner => {
    const box = event.currentTarget.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const handleMove = (event: PointerEvent) => {
    const to = at(event);
    if (drag) setDrag({ ...drag, to });
    else setHovered(pointNear(layout, ...to));
  };
  const handleUp = () => {
    setDrag(null);
    if (!drag) return;
    if (isFar(drag.from, drag.to)) onArea(areaBetween(layout, drag.from, drag.to));
    else if (hovered >= 0) onOpen(hovered);
  };
  const x = layout.pixelsX[hovered];
  const y = layout.pixelsY[hovered];
  return (
    <figure ref={ref} className="relative m-0 w-full min-w-0 select-none">
      <svg width={width} height={height} className="absolute inset-0" aria-hidden>
        <ChartAxes
          {...{ width, height, margins: MARGINS, xLabel: props.xLabel, yLabel: props.yLabel }}
          {...layout}
        />
      </svg>
      <canvas
        ref={canvas}
        role="img"
        aria-label={props.label}
        style={{ width, height }}
        className={`relative block touch-none ${hovered >= 0 ? 'cursor-pointer' : 'cursor-crosshair'}`}
        onPointerDown={(event) => setDrag({ from: at(event), to: at(event) })}
        onPointerMove={handleMove}
        onPointerUp={handleUp}
        onPointerLeave={() => {
          setHovered(-1);
          setDrag(null);
        }}
      />
      {drag && isFar(drag.from, drag.to) && <Frame from={drag.from} to={drag.to} />}
      {!drag && x !== undefined && y !== undefined && (
        <Note x={x} y={y} isRight={x > width / 2}>
          {describe(hovered)}
        </Note>
      )}
    </figure>
  );
}

function isFar([x1, y1]: Corner, [x2, y2]: Corner): boolean {
  return Math.hypot(x2 - x1, y2 - y1) > DRAG_PIXELS;
}

function Frame({ from, to }: { from: Corner; to: Corner }) {
  const [left, top] = [Math.min(from[0], to[0]), Math.min(from[1], to[1])];
  const size = { width: Math.abs(to[0] - from[0]), height: Math.abs(to[1] - from[1]) };
  return (
    <div
      aria-hidden
      className="pointer-events-none absolute border border-emerald-400 bg-emerald-400/10"
      style={{ left, top, ...size }}
    />
  );
}

interface NoteProps {
  x: number;
  y: number;
  isRight: boolean;
  children: ReactNode;
}

function Note({ x, y, isRight, children }: NoteProps) {
  return (
    <>
      <div
        aria-hidden
        className="pointer-events-none absolute size-3 -translate-1/2 rounded-full border-2 border-white"
        style={{ left: x, top: y }}
      />
      <div
        role="tooltip"
        className={`pointer-events-none absolute z-10 w-60 rounded-lg border border-slate-700 bg-slate-900 px-3 py-2 text-xs text-slate-300 shadow-xl ${
          isRight ? '-translate-x-full' : ''
        }`}
        style={{ left: isRight ? x - 12 : x + 12, top: Math.max(0, y - 20) }}
      >
        {children}
      </div>
    </>
  );
}
