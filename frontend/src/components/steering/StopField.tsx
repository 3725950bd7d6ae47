import { useState } from 'react';
import { quotedToken } from '../visualizations/tokenText';
import { AddField } from './AddField';
import { RemovableChip } from './RemovableChip';
import { readEscapes } from './stopTexts';
import { STEERING_SPECS } from './steeringRequest';

interface StopFieldProps {
  stop: readonly string[];
  onChange: (stop: readonly string[]) => void;
}

/** Texts that end the generation; a line break is typed as `\n`. */
export function StopField({ stop, onChange }: StopFieldProps) {
  const [draft, setDraft] = useState('');
  const text = readEscapes(draft);
  const isThere = stop.includes(text);
  const add = () => {
    onChange([...stop, text]);
    setDraft('');
  };
  return (
    <div className="space-y-2">
      <AddField
        label="Stop at"
        help={`${STEERING_SPECS.stop.help} \\n stands for a line break, \\t for a tab, \\\\ for a backslash; spaces count.`}
        placeholder="none, or such as \n\n"
        hint={draft === '' ? undefined : 'Not kept yet: Enter adds it.'}
        error={isThere ? 'It is there already' : undefined}
        value={draft}
        onChange={setDraft}
        addLabel="Add the stop text"
        canAdd={text !== '' && !isThere}
        onAdd={add}
      />
      {stop.length > 0 && (
        <ul aria-label="Texts that end the generation" className="flex flex-wrap gap-1.5">
          {stop.map((one) => (
            <RemovableChip
              key={one}
              text={quotedToken(one)}
              title="Go on past it again"
              onRemove={() => onChange(stop.filter((other) => other !== one))}
            />
          ))}
        </ul>
      )}
    </div>
  );
}
