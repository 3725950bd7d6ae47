import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect } from 'vitest';
import { SteeringPanel } from '@/components/steering/SteeringPanel';
import { useJobStore } from '@/stores/jobStore';
import { useModelStore } from '@/stores/modelStore';
import { defaultConfig, idle, useSteeringStore } from '@/stores/steeringStore';
import { useTrainingStore } from '@/stores/trainingStore';
import { useUiStore } from '@/stores/uiStore';
import { makeArchitecture, makeModel, makeTraining } from './factories';
import { answer, answerPage } from './featureApi';
import { makeFeature, makeFeatureRow, makeSteeringResult, TRAINING_ID } from './featureFactories';
import { renderWithUser } from './render';
import { makeResolved, makeSavedRun, makeSweep } from './steeringFactories';

export const model = makeModel();
const training = makeTraining({
  id: TRAINING_ID,
  status: 'completed',
  model_id: model.id,
  n_features: 2,
});
export const sweep = makeSweep();
export const savedRun = makeSavedRun();
export const savedDetail = {
  ...savedRun,
  settings: { temperature: 0, max_new_tokens: 12, seed: 5 },
  result: makeSteeringResult({ features: [makeResolved()], prompt: 'Saved prompt' }),
};
/** An address with all that a comparison needs. */
export const READY = '?steer=7:2:m&prompt=Once';

/** Before each test: nothing chosen yet, and a server with one training of two features. */
export function prepareSteeringScreen(): void {
  beforeEach(() => {
    useTrainingStore.setState({ items: null, problem: null });
    useModelStore.setState({ items: null, problem: null });
    useJobStore.setState({ byId: {}, problem: null });
    useSteeringStore.setState({ config: defaultConfig, known: {}, run: idle });
    useUiStore.setState({ toasts: [] });
    answerPage('/trainings', [training]);
    answerPage('/models', [model]);
    answerPage('/features', [makeFeatureRow(), makeFeatureRow({ id: 8, neuron_index: 108 })]);
    answerPage('/jobs', []);
    answerPage('/steering/sweeps', [sweep]);
    answerPage('/steering/runs', [savedRun]);
    answer('get', '/models/:id/architecture', makeArchitecture());
    answer('get', '/features/7', makeFeature());
    answer('get', '/steering/presets', []);
    answer('get', `/steering/sweeps/${sweep.id}`, sweep);
    answer('get', `/steering/runs/${savedRun.id}`, savedDetail);
  });
}

export function openSteering(search: string) {
  window.history.replaceState(null, '', search);
  return renderWithUser(<SteeringPanel />);
}

/** Opens what can be generated at once, with all that the screen asks for at first: model, feature. */
export async function openReady(search = READY) {
  const rendered = openSteering(search);
  await screen.findByText('Selected Features (1)');
  const button = await screen.findByRole('button', { name: 'Generate Comparison' });
  await waitFor(() => expect(button).toBeEnabled());
  await screen.findByRole('combobox', { name: 'Place of #107' });
  const layer = screen.getByRole('combobox', { name: 'Layer of #107' });
  await waitFor(() => expect(within(layer).getAllByRole('option').length).toBeGreaterThan(1));
  return { ...rendered, button };
}
