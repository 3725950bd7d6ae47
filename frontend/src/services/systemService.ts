import type { Health, SystemInfo } from '@/types/system.types';
import { get } from './api';

export const systemService = {
  health: () => get<Health>('/health'),
  info: () => get<SystemInfo>('/system/info'),
};
