import { Tag } from 'lucide-react';
import type { FeaturePatch, FeatureRow } from '@/types/feature.types';
import { EditableText } from '../EditableText';

export type EditedField = 'name' | 'description' | 'tags';

interface DetailHeadProps {
  row: FeatureRow;
  editing: EditedField | null;
  onEditing: (field: EditedField | null) => void;
  onSave: (row: FeatureRow, changes: FeaturePatch) => void;
}

/** What people write about a feature, each text edited where it stands. */
export function DetailHead({ row, editing, onEditing, onSave }: DetailHeadProps) {
  const field = (name: EditedField) => ({
    isEditing: editing === name,
    onEditing: (isOn: boolean) => onEditing(isOn ? name : null),
  });
  return (
    <div className="space-y-1">
      <EditableText
        key={`name-${row.id}`}
        label="label"
        value={row.name}
        placeholder="No label yet"
        maxLength={255}
        onSave={(name) => onSave(row, { name })}
        className="text-base text-slate-100"
        {...field('name')}
      />
      <div className="flex flex-wrap items-baseline gap-x-8 gap-y-1">
        <EditableText
          key={`description-${row.id}`}
          label="description"
          value={row.description}
          placeholder="Add a description"
          maxLength={10_000}
          multiline
          onSave={(description) => onSave(row, { description })}
          {...field('description')}
        />
        <div className="flex min-w-0 items-center gap-3">
          <Tag className="size-3.5 shrink-0 text-slate-500" aria-hidden />
          <EditableText
            key={`tags-${row.id}`}
            label="tags"
            value={row.tags.join(', ') || null}
            placeholder="Add tags, with commas between"
            maxLength={1000}
            onSave={(text) => onSave(row, { tags: readTags(text) })}
            {...field('tags')}
          />
        </div>
      </div>
    </div>
  );
}

function readTags(text: string | null): string[] {
  return (text ?? '')
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}
