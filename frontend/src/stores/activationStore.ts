import { activationService } from '@/services/activationService';
import { createResourceStore } from './resourceStore';

export const useActivationStore = createResourceStore({
  type: 'activation',
  kinds: ['activation_extract', 'activation_delete'],
  list: activationService.list,
  get: activationService.get,
  remove: activationService.remove,
});
