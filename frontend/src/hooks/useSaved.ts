import type { SavedService } from '@/services/templateService';
import { toast } from '@/stores/uiStore';
import type { Saved } from '@/types/template.types';
import { useAction } from './useAction';
import { useRequest } from './useRequest';

/** A list of saved settings with what can be done to it. */
export function useSaved<T extends Saved, W>(key: string, service: SavedService<T, W>) {
  const list = useRequest(key, (signal) => service.list(signal));
  const save = useAction(async (body: W) => {
    await service.create(body);
    list.again();
  });
  const mark = useAction(async (item: T) => {
    await service.mark(item.id, !item.is_favorite);
    list.again();
  });
  const remove = useAction(async (item: T) => {
    await service.remove(item.id);
    list.again();
    toast('info', `“${item.name}” deleted`);
  });
  return {
    items: list.data?.items ?? null,
    problem: save.error ?? mark.error ?? remove.error ?? list.error,
    save,
    mark,
    remove,
    again: list.again,
  };
}
