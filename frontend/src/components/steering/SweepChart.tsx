import { type KeyboardEvent, useMemo, useState } from 'react';
import { Segmented } from '@/components/common/Segmented';
import { useUrlChoice } from '@/hooks/useUrlState';
import type { SweptFeature } from '@/types/steering.types';
import { ChartAxes } from '../visualizations/ChartAxes';
import { ChartEmpty } from '../visualizations/ChartEmpty';
import { ChartTooltip } from '../visualizations/ChartTooltip';
import { layoutLineChart } from '../visualizations/lineChartLayout';
import { useElementWidth } from '../visualizations/useElementWidth';
import { UNIT_SCALES } from './coefficients';
import { type MeasureId, MEASURES, sweepPoints, usesActivations } from './sweepViews';

const HEIGHT = 240;
const MARGINS = { top: 12, right: 16, bottom: 40, left: 64 };
const IDS = MEASURES.map(({ id }) => id) as [MeasureId, ...MeasureId[]];

/** One figure over the strengths, the chosen one ringed; arrow keys read the points. */
export function SweepChart({ feature }: { feature: SweptFeature }) {
  const [id, choose] = useUrlChoice<MeasureId>('sweep_chart', IDS);
  const measure = MEASURES.find((known) => known.id === id) ?? MEASURES[0];
  const { ref, width } = useElementWidth<HTMLDivElement>();
  const [read, setRead] = useState<number | null>(null);
  const points = useMemo(() => sweepPoints(feature, measure), [feature, measure]);
  const layout = useMemo(() => {
    const series = [{ name: measure.label, color: measure.color, points }];
    return layoutLineChart(series, { width, height: HEIGHT, margins: MARGINS, yScale: 'linear' });
  }, [points, measure, width]);
  const inActivations = usesActivations(feature);
  const unit = inActivations ? 'activation' : (feature.rows[0]?.unit ?? 'max_multiple');
  const chosen = feature.best?.strength ?? null;
  const reading = read === null ? null : (points[read] ?? null);

  const handleKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || points.length === 0) return;
    event.preventDefault();
    setRead((old) => Math.min(points.length - 1, Math.max(0, (old ?? -1) + step)));
  };

  return (
    <figure className="m-0 space-y-3">
      <Segmented
        label="Figure over the strength"
        options={MEASURES.map((m) => ({ value: m.id, label: m.label }))}
        value={id}
        onChange={choose}
      />
      <div ref={ref} className="relative w-full min-w-0">
        {layout ? (
          <svg
            width={width}
            height={HEIGHT}
            role="img"
            aria-label={describe(measure.label, points, measure.format)}
            tabIndex={0}
            className="block rounded focus-visible:outline-2 focus-visible:outline-emerald-500"
            onPointerMove={(event) => {
              const left = event.currentTarget.getBoundingClientRect().left;
              setRead(nearest(points, layout.x.invert(event.clientX - left)));
            }}
            onPointerLeave={() => setRead(null)}
            onBlur={() => setRead(null)}
            onKeyDown={handleKeyDown}
          >
            <ChartAxes
              width={width}
              height={HEIGHT}
              margins={MARGINS}
              xLabel={`strength, ${UNIT_SCALES[unit].suffix}`}
              yLabel={measure.label}
              {...layout}
            />
            {chosen !== null && (
              <line
                x1={layout.x(chosen)}
                x2={layout.x(chosen)}
                y1={MARGINS.top}
                y2={HEIGHT - MARGINS.bottom}
                className="stroke-emerald-500/60"
                strokeDasharray="4 3"
              />
            )}
            {layout.drawn.map((line) => (
              <path
                key={line.name}
                d={line.path}
                fill="none"
                stroke={line.color}
                strokeWidth={1.5}
              />
            ))}
            {points.map((point, index) => (
              <circle
                key={point.x}
                cx={layout.x(point.x)}
                cy={layout.y(point.y)}
                r={point.x === chosen || index === read ? 6 : 4}
                fill={point.x === 0 ? '#0f172a' : measure.color}
                stroke={point.x === chosen ? '#ecfdf5' : measure.color}
                strokeWidth={2}
              />
            ))}
          </svg>
        ) : (
          <ChartEmpty height={HEIGHT} message="The first prompt is not done yet" />
        )}
        {layout && reading && (
          <ChartTooltip
            x={layout.x(reading.x)}
            chartWidth={width}
            title={`strength ${reading.x}`}
            rows={[{ name: measure.label, value: measure.format(reading.y), color: measure.color }]}
          />
        )}
      </div>
      <figcaption className="text-xs text-slate-400">
        Hollow: no steering.{chosen === null ? '' : ' Dashed: the chosen strength.'} Means over the
        prompts that are done{measure.id === 'score' ? ', of those that the choice is made on' : ''}
        .
      </figcaption>
    </figure>
  );
}

function nearest(points: readonly { x: number }[], x: number): number | null {
  if (points.length === 0) return null;
  const away = points.map((point) => Math.abs(point.x - x));
  return away.indexOf(Math.min(...away));
}

function describe(
  label: string,
  points: readonly { x: number; y: number }[],
  format: (value: number) => string,
): string {
  const values = points.map(({ x, y }) => `${format(y)} at ${x}`);
  return `${label} over the strength: ${values.join(', ')}`;
}
