import { screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { makeSystemInfo } from '@/test/factories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { answer, refuse } from '@/test/server';
import { SystemPanel } from './SystemPanel';

const HEALTH = { status: 'ok', gpu: null, db: 'connected', redis: 'disconnected' };

describe('the system view', () => {
  it('shows device, memory, disk, GPUs and versions', async () => {
    const info = makeSystemInfo({
      device_name: 'Test GPU',
      memory_info: { total_bytes: 10e9, available_bytes: 5e9 },
      disk: { path: '/data', total_bytes: 100e9, free_bytes: 5e9 },
      gpu_info: [
        {
          available: true,
          name: 'Test GPU',
          memory_total_bytes: 8e9,
          memory_used_bytes: 2e9,
          utilization_percent: null,
        },
      ],
      packages: { torch: '2.13.0' },
      workers: { training: 1 },
    });
    answer('get', '/system/info', info as never);
    answer('get', '/health', HEALTH);
    const { container } = renderWithUser(<SystemPanel />);
    expect(await screen.findByText('50 % used')).toBeVisible();
    expect(screen.getByText('95 % used')).toBeVisible();
    expect(screen.getByText('2 GB of 8 GB')).toBeVisible();
    expect(screen.getByText('2.13.0')).toBeVisible();
    expect(screen.getByText('disconnected')).toBeVisible();
    await expectAccessible(container);
  });

  it('says that it cannot be read, and reads again', async () => {
    refuse('get', '/system/info', { code: 'INTERNAL_ERROR', message: 'Not now.' }, 500);
    answer('get', '/health', HEALTH);
    const { user } = renderWithUser(<SystemPanel />);
    expect(await screen.findByText('Not now.')).toBeVisible();
    answer('get', '/system/info', makeSystemInfo() as never);
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('/data')).toBeVisible();
  });
});
