import { screen, waitFor } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { describe, expect, it, vi } from 'vitest';
import { useSteeringStore } from '@/stores/steeringStore';
import { answer, answerPage, refuse } from '@/test/featureApi';
import { makeResolved } from '@/test/steeringFactories';
import { expectAccessible } from '@/test/render';
import { server } from '@/test/server';
import { openSteering, prepareSteeringScreen, savedRun } from '@/test/steeringScreen';
import * as files from '@/utils/files';

prepareSteeringScreen();

describe('the history', () => {
  it('lists runs, opens one with its configuration and is accessible', async () => {
    const { user, container } = openSteering('?tab=steering&steer_view=history');
    expect(await screen.findByText('#107 number +2.00 × max')).toBeVisible();
    expect(screen.getByText('abcdef01')).toBeVisible();
    await expectAccessible(container);
    await user.click(screen.getByRole('button', { name: 'Open' }));
    expect(await screen.findByRole('textbox', { name: 'Prompt' })).toHaveValue('Saved prompt');
    expect(screen.getByText(/texts part at token 2/)).toBeVisible();
    expect(useSteeringStore.getState().config).toMatchObject({ temperature: 0, seed: 5 });
  });

  it('says where a run acted elsewhere, and that a text is empty', async () => {
    const own = { own_layer: 1, own_hook_type: 'residual' };
    const moved = makeResolved({ ...own, layer: 2, hook_type: 'mlp' });
    answerPage('/steering/runs', [{ ...savedRun, features: [moved], unsteered_text: '' }]);
    openSteering('?steer_view=history');
    expect(
      await screen.findByText('#107 number +2.00 × max at MLP output of layer 2'),
    ).toBeVisible();
    expect(screen.getByText('Nothing: it ended at once.')).toBeVisible();
  });

  it('says that a replay is identical, or where it differs and why', async () => {
    const replay = {
      run_id: savedRun.id,
      replay_id: savedRun.id,
      identical: true,
      differences: [],
      environment_changes: [],
      largest_logprob_difference: 0,
    };
    answer('post', `/steering/runs/${savedRun.id}/replay`, replay);
    const { user } = openSteering('?steer_view=history');
    await user.click(await screen.findByRole('button', { name: 'Replay this run' }));
    expect(await screen.findByText(/Identical, token for token/)).toBeVisible();
    answer('post', `/steering/runs/${savedRun.id}/replay`, {
      ...replay,
      identical: false,
      differences: [{ branch: 'steered', index: 2, then: ' cat', now: null }],
      environment_changes: [{ name: 'device', then: 'cpu', now: 'cuda:0' }],
    });
    await user.click(screen.getByRole('button', { name: 'Replay this run' }));
    expect(await screen.findByText(/the steered text at token 3/)).toBeVisible();
    expect(screen.getByText('device: cpu → cuda:0')).toBeVisible();
    refuse('post', `/steering/runs/${savedRun.id}/replay`, 409, {
      code: 'NOT_READY',
      message: 'The checkpoint is gone.',
    });
    await user.click(screen.getByRole('button', { name: 'Replay this run' }));
    expect(await screen.findByText('The checkpoint is gone.')).toBeVisible();
  });

  it('exports, and says what a format cannot', async () => {
    const saved = vi.spyOn(files, 'saveBlob').mockImplementation(() => undefined);
    server.use(
      http.get(`*/api/v1/steering/runs/${savedRun.id}/export`, ({ request }) =>
        new URL(request.url).searchParams.get('format') === 'gguf'
          ? HttpResponse.json(
              { error: { code: 'VALIDATION_ERROR', message: 'Steer a later layer.' } },
              { status: 400 },
            )
          : HttpResponse.text('print()'),
      ),
    );
    const { user } = openSteering('?steer_view=history');
    await user.click(await screen.findByRole('button', { name: 'Export' }));
    await user.click(screen.getByRole('button', { name: /Python/ }));
    await waitFor(() => expect(saved).toHaveBeenCalledOnce());
    expect(saved.mock.calls[0]?.[0]).toBe('steering-00000000.py');
    await user.click(screen.getByRole('button', { name: /GGUF/ }));
    expect(await screen.findByText('Steer a later layer.')).toBeVisible();
  });

  it('forgets a run', async () => {
    const gone = answer('delete', `/steering/runs/${savedRun.id}`, savedRun);
    const { user } = openSteering('?steer_view=history');
    await user.click(await screen.findByRole('button', { name: 'Delete this run' }));
    answerPage('/steering/runs', []);
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    expect(await screen.findByText('Nothing was steered yet')).toBeVisible();
    expect(gone).toHaveLength(1);
  });
});
