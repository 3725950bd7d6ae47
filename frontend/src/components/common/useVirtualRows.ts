import { type RefObject, type UIEvent, useCallback, useLayoutEffect, useState } from 'react';

/** Rows drawn above and below what is in sight, so that scrolling meets no gap. */
const OVERSCAN = 8;

export interface VirtualRows {
  onScroll: (event: UIEvent<HTMLDivElement>) => void;
  /** The rows to draw: from `first` up to but without `end`. */
  first: number;
  end: number;
  /** Pixels of the rows that are not drawn. */
  before: number;
  after: number;
  /** Brings a row into sight. */
  reveal: (index: number) => void;
}

/** Which of many rows of one height must be drawn in a box of its own scrolling. */
export function useVirtualRows(
  boxRef: RefObject<HTMLDivElement | null>,
  count: number,
  rowHeight: number,
): VirtualRows {
  // Moves in steps of a few rows: scrolling by a pixel draws nothing anew.
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(800);

  useLayoutEffect(() => {
    const box = boxRef.current;
    if (!box) return undefined;
    const measure = () => setHeight(box.clientHeight || 800);
    measure();
    if (typeof ResizeObserver === 'undefined') return undefined;
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => observer.disconnect();
  }, [boxRef]);

  const step = rowHeight * (OVERSCAN / 2);
  const onScroll = useCallback(
    (event: UIEvent<HTMLDivElement>) => {
      setTop(Math.floor(event.currentTarget.scrollTop / step) * step);
    },
    [step],
  );
  const reveal = useCallback(
    (index: number) => {
      const box = boxRef.current;
      if (!box) return;
      const from = index * rowHeight;
      const room = box.clientHeight - 2 * rowHeight;
      if (from < box.scrollTop) box.scrollTop = from;
      else if (from > box.scrollTop + room) box.scrollTop = from - room;
      setTop(Math.floor(box.scrollTop / step) * step);
    },
    [boxRef, rowHeight, step],
  );

  const first = Math.max(0, Math.min(count, Math.floor(top / rowHeight) - OVERSCAN / 2));
  const end = Math.min(count, Math.ceil((top + height) / rowHeight) + OVERSCAN);
  return {
    onScroll,
    first,
    end,
    before: first * rowHeight,
    after: (count - end) * rowHeight,
    reveal,
  };
}
