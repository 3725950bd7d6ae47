import { modelService } from '@/services/modelService';
import { createResourceStore } from './resourceStore';

export const useModelStore = createResourceStore({
  type: 'model',
  kinds: ['model_download', 'model_import', 'model_delete'],
  list: modelService.list,
  get: modelService.get,
  remove: modelService.remove,
});
