import { GitCompare, Star, Tag, X, Zap } from 'lucide-react';
import { type SubmitEvent, useState } from 'react';
import { Button } from '@/components/common/Button';
import { IconButton } from '@/components/common/IconButton';
import { Input } from '@/components/common/Input';
import { Popover } from '@/components/common/Popover';
import { navigate } from '@/utils/urlState';
import { MAX_COMPARED, writeTray } from './compareTray';
import { changeAll, steerWithAll } from './pickedActions';
import { pickNone } from './pickedRows';

/** What can be done with the chosen rows at once. */
export function PickedBar({ picked }: { picked: ReadonlySet<number> }) {
  const ids = [...picked];
  return (
    <div
      role="group"
      aria-label="Chosen features"
      className="flex min-h-9.5 flex-wrap items-center gap-1 text-sm"
    >
      <span role="status" className="mr-1 font-medium text-emerald-400 tabular-nums">
        {ids.length} chosen
      </span>
      <IconButton
        label="Mark the chosen as favourites"
        icon={Star}
        onClick={() =>
          void changeAll(ids, 'marked', ({ is_favorite }) =>
            is_favorite ? null : { is_favorite: true },
          )
        }
      />
      <IconButton label="Steer with the chosen" icon={Zap} onClick={() => void steerWithAll(ids)} />
      <IconButton
        label={
          ids.length > MAX_COMPARED ? `Compare, ${MAX_COMPARED} at most` : 'Compare the chosen'
        }
        icon={GitCompare}
        disabled={ids.length < 2 || ids.length > MAX_COMPARED}
        onClick={() => navigate({ compare: writeTray(ids), comparing: '1' })}
      />
      <TagForm ids={ids} />
      <IconButton label="Choose none" icon={X} onClick={pickNone} />
    </div>
  );
}

function TagForm({ ids }: { ids: readonly number[] }) {
  const [tag, setTag] = useState('');
  const name = tag.trim();
  const handleSubmit = (event: SubmitEvent, close: () => void) => {
    event.preventDefault();
    void changeAll(ids, `tagged ${name}`, ({ tags }) =>
      tags.includes(name) ? null : { tags: [...tags, name] },
    );
    setTag('');
    close();
  };
  return (
    <Popover label="Tag" icon={Tag} className="left-0 w-72">
      {(close) => (
        <form className="space-y-3" onSubmit={(event) => handleSubmit(event, close)}>
          <Input label="Tag of the chosen" value={tag} onChange={setTag} autoFocus />
          <Button type="submit" variant="primary" block disabled={name === ''}>
            Add Tag
          </Button>
        </form>
      )}
    </Popover>
  );
}
