import type { SystemInfo } from '@/types/system.types';
import { get } from './api';

export const systemService = {
  info: () => get<SystemInfo>('/system/info'),
};
