import { Plus } from 'lucide-react';
import type { ComponentProps } from 'react';
import { Button } from '@/components/common/Button';
import { Input } from '@/components/common/Input';

interface AddFieldProps extends Omit<ComponentProps<typeof Input>, 'mono' | 'onKeyDown'> {
  /** The button's name, such as "Add the tokens". */
  addLabel: string;
  canAdd: boolean;
  onAdd: () => void;
}

/** A field whose text becomes one more entry of a list, by its button or by Enter. */
export function AddField({ addLabel, canAdd, onAdd, ...field }: AddFieldProps) {
  return (
    <div className="flex items-start gap-2 max-[28rem]:flex-wrap">
      <div className="min-w-0 flex-1 max-[28rem]:basis-full">
        <Input
          {...field}
          mono
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            if (canAdd) onAdd();
          }}
        />
      </div>
      <Button
        icon={Plus}
        className="min-[28rem]:mt-7"
        aria-label={addLabel}
        disabled={!canAdd}
        onClick={onAdd}
      >
        Add
      </Button>
    </div>
  );
}
