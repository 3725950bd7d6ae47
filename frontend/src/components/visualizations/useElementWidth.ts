import { useLayoutEffect, useRef, useState } from 'react';

/** Width in pixels of the element that carries `ref`, kept current as the layout changes. */
export function useElementWidth<E extends HTMLElement>(initialPixels = 640) {
  const ref = useRef<E>(null);
  const [width, setWidth] = useState(initialPixels);

  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const measure = () => {
      if (element.clientWidth > 0) setWidth(element.clientWidth);
    };
    measure();
    if (typeof ResizeObserver === 'undefined') return undefined;
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  return { ref, width };
}
