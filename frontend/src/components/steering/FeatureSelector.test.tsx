import { act, screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { MAX_STEERED, useSteeringStore } from '@/stores/steeringStore';
import { useUiStore } from '@/stores/uiStore';
import { answerPage, refuse } from '@/test/featureApi';
import { makeFeatureRow } from '@/test/featureFactories';
import { openSteering, prepareSteeringScreen, READY } from '@/test/steeringScreen';

prepareSteeringScreen();

describe('choosing features', () => {
  it('finds, adds and removes them', async () => {
    const queries = answerPage('/features', [makeFeatureRow()]);
    const { user } = openSteering('?tab=steering');
    expect(await screen.findByRole('button', { name: 'Strongest' })).toBeVisible();
    await user.type(screen.getByRole('searchbox'), 'num');
    await waitFor(() => expect(queries.at(-1)?.get('search')).toBe('num'));
    expect(queries.at(-1)?.get('sort_by')).toBe('relevance');
    expect(await screen.findByRole('button', { name: 'Best match' })).toBeVisible();
    await user.click(await screen.findByRole('button', { name: 'Add feature 107' }));
    expect(screen.getByText('Selected Features (1)')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Add feature 107' })).toBeDisabled();
    await waitFor(() => expect(window.location.search).toContain('steer=7%3A1%3Am'));
    await user.click(screen.getByRole('button', { name: 'Remove #107' }));
    expect(screen.getByText('Selected Features (0)')).toBeVisible();
  });

  it('says when nothing matches', async () => {
    answerPage('/features', []);
    const { user } = openSteering('?tab=steering');
    expect(await screen.findByText(/has no features yet/)).toBeVisible();
    await user.type(screen.getByRole('searchbox'), 'zzz');
    expect(await screen.findByText('No feature matches “zzz”.')).toBeVisible();
  });

  it('says why features could not be searched', async () => {
    refuse('get', '/features', 500, { code: 'INTERNAL_ERROR', message: 'Index broken.' });
    openSteering('?tab=steering');
    expect(await screen.findByText('Index broken.')).toBeVisible();
  });

  it('asks for a training when there is none', async () => {
    answerPage('/trainings', []);
    openSteering('?tab=steering');
    expect(await screen.findByText(/Choose a training/)).toBeVisible();
  });

  it('takes sixteen at most', async () => {
    openSteering('?tab=steering');
    await screen.findByRole('button', { name: 'Add feature 107' });
    act(() => {
      for (let id = 100; id < 100 + MAX_STEERED + 1; id += 1) {
        useSteeringStore.getState().addFeature(makeFeatureRow({ id }));
      }
    });
    expect(screen.getByText('Selected Features (16)')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Add feature 107' })).toBeDisabled();
  });

  it('drops a feature of the address that is gone', async () => {
    refuse('get', '/features/7', 404, { code: 'NOT_FOUND', message: 'Deleted.' });
    openSteering(READY);
    expect(await screen.findByText('Selected Features (0)')).toBeVisible();
    expect(useUiStore.getState().toasts[0]?.message).toContain('Deleted.');
  });

  it('finds them by how well they steer, once that was measured', async () => {
    const queries = answerPage('/features', [makeFeatureRow()]);
    const { user } = openSteering('?tab=steering');
    await user.click(await screen.findByRole('button', { name: 'Steers best' }));
    await waitFor(() => expect(queries.at(-1)?.get('sort_by')).toBe('output_score'));
    expect(await screen.findByText(/Not measured yet/)).toBeVisible();
    answerPage('/features', [makeFeatureRow({ output_score: 0.8123 })]);
    act(() => window.history.replaceState(null, '', '?steer_sort=output_score'));
    await user.type(screen.getByRole('searchbox'), 'n');
    expect(await screen.findByText('steers 0.812')).toBeVisible();
  });
});
