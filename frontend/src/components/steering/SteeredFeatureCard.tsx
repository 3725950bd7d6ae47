import { X } from 'lucide-react';
import { type ComponentProps, useId } from 'react';
import { Button } from '@/components/common/Button';
import { describedBy, ErrorNote } from '@/components/common/Field';
import { IconButton } from '@/components/common/IconButton';
import type { SelectedFeature } from '@/hooks/useSteering';
import type { Steered } from '@/stores/steeringStore';
import type { CoefficientUnit, SteeringMethod } from '@/types/steering.types';
import { formatDecimal } from '@/utils/format';
import { hookShortName } from '@/utils/hookNames';
import { METHOD_NAMES, METHODS } from './methods';
import { coefficientError } from './steeringRequest';
import { convertCoefficient, effectOf, UNIT_SCALES } from './coefficients';

const UNITS = Object.entries(UNIT_SCALES) as [
  CoefficientUnit,
  (typeof UNIT_SCALES)['activation'],
][];

const VALUE_COLORS = {
  suppress: 'text-orange-300',
  none: 'text-slate-300',
  amplify: 'text-emerald-400',
};

interface SteeredFeatureCardProps {
  feature: SelectedFeature;
  nLayers: number | null;
  places: readonly string[];
  onChange: (changes: Partial<Omit<Steered, 'id'>>) => void;
  onRemove: () => void;
}

/** One feature that steers, with how strongly it does. */
export function SteeredFeatureCard(props: SteeredFeatureCardProps) {
  const { feature, nLayers, places, onChange, onRemove } = props;
  const id = useId();
  const { row, coefficient, unit, method = 'add', onlyActive = false } = feature;
  const view = METHODS[method];
  const scale = UNIT_SCALES[unit];
  const name = row ? `#${row.neuron_index}` : `feature ${feature.id}`;
  const error = coefficientError(feature);
  const limit = Math.max(scale.limit, Math.abs(coefficient));

  return (
    <li className="space-y-3 rounded-lg bg-slate-800/50 p-4">
      <div className="flex items-center gap-3">
        <span className="font-mono text-sm text-slate-400">{name}</span>
        <span className="min-w-0 flex-1 truncate" title={row?.name ?? undefined}>
          {row ? (row.name ?? <i className="text-slate-400">No label</i>) : '…'}
        </span>
        <IconButton label={`Remove ${name}`} icon={X} tone="danger" onClick={onRemove} />
      </div>
      <div className="grid gap-2 min-[28rem]:grid-cols-3">
        <SmallSelect
          aria-label={`Method of ${name}`}
          title={view.help}
          value={method}
          onChange={(event) => {
            const next = event.target.value as SteeringMethod;
            onChange({ method: next === 'add' ? undefined : next });
          }}
        >
          {METHOD_NAMES.map((value) => (
            <option key={value} value={value}>
              {METHODS[value].label}
            </option>
          ))}
        </SmallSelect>
        <SmallSelect
          aria-label={`Layer of ${name}`}
          title="The block in which this feature acts"
          value={feature.layer === undefined ? '' : String(feature.layer)}
          onChange={(event) => {
            const { value } = event.target;
            onChange({ layer: value === '' ? undefined : Number(value) });
          }}
        >
          <option value="">the layer of the run</option>
          {Array.from({ length: Math.max(nLayers ?? 0, (feature.layer ?? -1) + 1) }, (_, layer) => (
            <option key={layer} value={layer}>
              layer {layer}
            </option>
          ))}
        </SmallSelect>
        {(places.length > 0 || feature.hookType) && (
          <SmallSelect
            aria-label={`Place of ${name}`}
            title="The place in the block at which this feature acts"
            value={feature.hookType ?? ''}
            onChange={(event) => onChange({ hookType: event.target.value || undefined })}
          >
            <option value="">its own place</option>
            {withCurrent(places, feature.hookType).map((place) => (
              <option key={place} value={place}>
                {hookShortName(place)}
              </option>
            ))}
          </SmallSelect>
        )}
      </div>
      <label className="flex items-center gap-2 text-xs text-slate-300">
        <input
          type="checkbox"
          className="accent-emerald-500"
          checked={onlyActive}
          onChange={(event) => onChange({ onlyActive: event.target.checked || undefined })}
        />
        only where it is active
      </label>
      {view.value && (
        <>
          <div className="flex flex-wrap items-center justify-between gap-3 text-sm">
            <label htmlFor={id} className="text-slate-300">
              {method === 'add' ? 'Coefficient' : view.value}
            </label>
            <span className="flex items-center gap-2">
              <span className={`font-mono tabular-nums ${VALUE_COLORS[effectOf(coefficient)]}`}>
                {formatDecimal(coefficient, 2)}
              </span>
              {view.hasUnit && (
                <SmallSelect
                  aria-label={`Unit of ${name}`}
                  title={scale.help}
                  value={unit}
                  onChange={(event) => {
                    const next = event.target.value as CoefficientUnit;
                    onChange({
                      unit: next,
                      coefficient: convertCoefficient(coefficient, unit, next),
                    });
                  }}
                >
                  {UNITS.map(([value, { label }]) => (
                    <option key={value} value={value}>
                      {label}
                    </option>
                  ))}
                </SmallSelect>
              )}
            </span>
          </div>
          <div>
            <input
              id={id}
              type="range"
              min={-limit}
              max={limit}
              step={scale.step}
              value={coefficient}
              {...describedBy(id, { error })}
              aria-valuetext={`${formatDecimal(coefficient, 2)} ${scale.suffix}, ${effectOf(coefficient)}`}
              onChange={(event) => onChange({ coefficient: event.target.valueAsNumber })}
              className="w-full accent-emerald-500"
            />
            <div className="grid grid-cols-3 text-xs text-slate-400" aria-hidden>
              <span>suppress</span>
              <span className="text-center">0</span>
              <span className="text-right">amplify</span>
            </div>
          </div>
          {error && <ErrorNote id={id}>{error}</ErrorNote>}
          <div className="grid gap-2 min-[28rem]:grid-cols-3">
            <Button size="sm" onClick={() => onChange({ coefficient: -scale.quick })}>
              Suppress (−{scale.quick})
            </Button>
            <Button size="sm" onClick={() => onChange({ coefficient: 0 })}>
              Reset (0)
            </Button>
            <Button size="sm" onClick={() => onChange({ coefficient: scale.quick })}>
              Amplify (+{scale.quick})
            </Button>
          </div>
        </>
      )}
    </li>
  );
}

/** A list of choices that is no larger than its text. */
function SmallSelect(props: Omit<ComponentProps<'select'>, 'className'>) {
  return (
    <select
      className="min-w-0 rounded-lg border border-slate-700 bg-slate-900 px-2 py-1 text-xs text-slate-200"
      {...props}
    />
  );
}

/** The places, with one that an address names and the model has not. */
function withCurrent(places: readonly string[], current: string | undefined): readonly string[] {
  return current === undefined || places.includes(current) ? places : [...places, current];
}
